// GNOME up to 44: what the rest of this file needs, by the old importer.
const {Adw, Gio, GLib, Gtk} = imports.gi;
const ExtensionUtils = imports.misc.extensionUtils;

class ExtensionPreferences {
    get metadata() {
        return ExtensionUtils.getCurrentExtension().metadata;
    }

    getSettings() {
        return ExtensionUtils.getSettings();
    }
}

function init() {
}

function fillPreferencesWindow(window) {
    new UllagePreferences().fillPreferencesWindow(window);
}
