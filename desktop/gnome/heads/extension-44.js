// GNOME Shell up to 44: what the rest of this file needs, by the old importer.
const {Clutter, Gio, GLib, GObject, Pango, St} = imports.gi;
const Main = imports.ui.main;
const PanelMenu = imports.ui.panelMenu;
const PopupMenu = imports.ui.popupMenu;
const ExtensionUtils = imports.misc.extensionUtils;

class Extension {
    constructor(metadata) {
        this.metadata = metadata;
    }

    getSettings() {
        return ExtensionUtils.getSettings();
    }

    openPreferences() {
        ExtensionUtils.openPrefs();
    }
}

function init(meta) {
    return new UllageExtension(meta.metadata || meta);
}
