const COUNTS = [['config', 'As config.toml wants it'], ['used', 'What is used'], ['left', 'What is left']];
const SHOWN = [['ring-and-text', 'A ring and the text'], ['text', 'The text'], ['ring', 'A ring']];
const WINDOWS = [['', 'The one nearest to its limit'], ['five_hour', 'Session (5h)'], ['seven_day', 'Week']];

/** Return a row with a choice of [value, words]; a value that is not among them is one more. */
function choice(settings, key, title, options) {
    const row = new Adw.ComboRow({title});
    const offer = offered => {
        const own = settings.get_string(key);
        const known = offered.some(([value]) => value === own) ? offered : [...offered, [own, own]];
        row.ullageValues = null;
        row.model = Gtk.StringList.new(known.map(([, words]) => words));
        row.selected = known.findIndex(([value]) => value === own);
        row.ullageValues = known.map(([value]) => value);
    };
    offer(options);
    row.connect('notify::selected', () => {
        if (row.ullageValues)
            settings.set_string(key, row.ullageValues[row.selected]);
    });
    return [row, offer];
}

class UllagePreferences extends ExtensionPreferences {
    fillPreferencesWindow(window) {
        const settings = this.getSettings();
        const page = new Adw.PreferencesPage();
        const group = new Adw.PreferencesGroup();
        const [windows, offer] = choice(settings, 'window', 'Window', WINDOWS);
        group.add(windows);
        group.add(choice(settings, 'count', 'Numbers', COUNTS)[0]);
        group.add(choice(settings, 'show', 'In the bar', SHOWN)[0]);
        group.add(this._program(settings));
        page.add(group);
        window.add(page);
        this._offerKnown(settings, offer);
    }

    _program(settings) {
        const row = new Adw.ActionRow({
            title: 'Program', subtitle: 'Empty: where it was set up from, on the PATH, in ~/.local/bin. Enter keeps it.',
        });
        const path = new Gtk.Entry({hexpand: true, valign: Gtk.Align.CENTER, text: settings.get_string('program')});
        path.connect('activate', () => settings.set_string('program', path.text));
        row.add_suffix(path);
        row.activatable_widget = path;
        return row;
    }

    /** Offer every window that is known now; once, while the preferences are open. */
    _offerKnown(settings, offer) {
        const program = findProgram(settings, this.metadata);
        if (program === null)
            return;
        const asked = Gio.Subprocess.new(
            [program, 'panel', 'json'], Gio.SubprocessFlags.STDOUT_PIPE | Gio.SubprocessFlags.STDERR_SILENCE);
        asked.communicate_utf8_async(null, null, (process, result) => {
            try {
                const [, output] = process.communicate_utf8_finish(result);
                const known = JSON.parse(output).rows.filter(row => row.window !== null);
                if (known.length)
                    offer([WINDOWS[0], ...known.map(row => [row.window, row.label])]);
            } catch (error) {
                logError(error, 'ullage');
            }
        });
    }
}
