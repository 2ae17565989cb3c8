const INSTALL = 'ullage is not installed. In a clone of it, run: pipx install .';
const ENDED = '`ullage panel json --follow` ended. Run it in a terminal to see why.';

// A program that is missing, or that ends, is looked for again after these.
const SHORTEST_PAUSE_SECONDS = 5;
const LONGEST_PAUSE_SECONDS = 300;

const NOTHING = {
    text: '', spans: [], colour: null, used_percent: null, counts: 'used', rows: [], origin: '', problem: null,
};

/** One running `ullage panel json --follow`: `shown` gets each object that it writes, `ended` hears of its end. */
class Follower {
    constructor(program, words, shown, ended) {
        this._shown = shown;
        this._ended = ended;
        this._cancellable = new Gio.Cancellable();
        this._process = Gio.Subprocess.new(
            [program, 'panel', 'json', '--follow', ...words],
            Gio.SubprocessFlags.STDIN_PIPE | Gio.SubprocessFlags.STDOUT_PIPE | Gio.SubprocessFlags.STDERR_SILENCE);
        this._lines = new Gio.DataInputStream({base_stream: this._process.get_stdout_pipe()});
        this._read();
    }

    /** Ask for a new reading (`refresh`) or for the usage page (`open`). */
    ask(word) {
        try {
            this._process.get_stdin_pipe().write_all(`${word}\n`, null);
        } catch (error) {
            logError(error, 'ullage');
        }
    }

    stop() {
        this._cancellable.cancel();
        this._process.send_signal(15);
    }

    _read() {
        this._lines.read_line_async(GLib.PRIORITY_DEFAULT, this._cancellable, (lines, result) => {
            let line = null;
            try {
                [line] = lines.read_line_finish_utf8(result);
            } catch (error) {
                if (this._cancellable.is_cancelled())
                    return;
                logError(error, 'ullage');
            }
            if (line === null) {
                this._ended();
                return;
            }
            this._take(line);
            this._read();
        });
    }

    _take(line) {
        let panel;
        try {
            panel = JSON.parse(line);
        } catch (error) {
            return;
        }
        this._shown({...NOTHING, ...panel});
    }
}

function rgb(colour) {
    return [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16) / 255);
}

function markupOf(spans) {
    return spans.map(span => {
        const text = GLib.markup_escape_text(span.text, -1);
        if (!span.colour)
            return text;
        return `<span foreground="${span.colour}"${span.bold ? ' weight="bold"' : ''}>${text}</span>`;
    }).join('');
}

/** Return the share that is drawn of what is used or has passed, from 0 to 1; null where nothing is known. */
function shareOf(percent, counts) {
    if (percent === null)
        return null;
    const gone = Math.min(100, Math.max(0, percent));
    return (counts === 'left' ? 100 - gone : gone) / 100;
}

/** What `draw` makes of the context, the size, a share, the share of the time, and setters of colours: dim, bright, own. */
const Gauge = GObject.registerClass(
class UllageGauge extends St.DrawingArea {
    _init(draw, params) {
        super._init(params);
        this._draw = draw;
        this._share = this._elapsed = this._colour = null;
        this.connect('repaint', () => this._paint());
    }

    show_share(share, colour, elapsed = null) {
        if (share === this._share && colour === this._colour && elapsed === this._elapsed)
            return;
        this._share = share;
        this._colour = colour;
        this._elapsed = elapsed;
        this.queue_repaint();
    }

    _paint() {
        const context = this.get_context();
        const own = this.get_theme_node().get_foreground_color();
        const [red, green, blue] = [own.red, own.green, own.blue].map(part => part / 255);
        this._draw(context, this.get_surface_size(), this._share, this._elapsed,
            () => context.setSourceRGBA(red, green, blue, 0.25),
            () => context.setSourceRGB(...this._colour ? rgb(this._colour) : [red, green, blue]),
            () => context.setSourceRGB(red, green, blue));
        context.$dispose();
    }
});

function drawRing(context, [width, height], share, _elapsed, dim, bright) {
    const line = Math.max(2, height / 6);
    const radius = (Math.min(width, height) - line) / 2;
    const from = -Math.PI / 2;
    context.setLineWidth(line);
    dim();
    context.arc(width / 2, height / 2, radius, 0, 2 * Math.PI);
    context.stroke();
    if (!share)
        return;
    bright();
    context.arc(width / 2, height / 2, radius, from, from + share * 2 * Math.PI);
    context.stroke();
}

/** A bar with a tick at the time that has passed, which stands out of it above and below. */
function drawBar(context, [width, height], share, elapsed, dim, bright, own) {
    const thickness = height - 4;
    const line = (paint, length) => {
        paint();
        context.moveTo(thickness / 2, height / 2);
        context.lineTo(Math.max(thickness / 2, length - thickness / 2), height / 2);
        context.stroke();
    };
    context.setLineWidth(thickness);
    context.setLineCap(1);  // round
    line(dim, width);
    if (share)
        line(bright, width * share);
    if (elapsed === null)
        return;
    own();
    context.rectangle(Math.round((width - 2) * elapsed), 0, 2, height);
    context.fill();
}

/** Letters of blocks are as wide as a font likes: they are drawn, and not written. */
function drawCourse(course) {
    return (context, [_width, height], _share, _elapsed, _dim, bright) => {
        bright();
        Array.from(course).forEach((sign, at) => {
            const high = height * ('▁▂▃▄▅▆▇█'.indexOf(sign) + 1) / 8;
            context.rectangle(at * 4, height - high, 3, high);
        });
        context.fill();
    };
}

/** Return a line of text that is broken where the menu ends. */
function text(words, params = {}) {
    const label = new St.Label({text: words, ...params});
    label.clutter_text.line_wrap = true;
    label.clutter_text.line_wrap_mode = Pango.WrapMode.WORD_CHAR;
    label.clutter_text.ellipsize = Pango.EllipsizeMode.NONE;
    return label;
}

/** Return an entry of the menu that is there to be read: it takes the focus of the keyboard, and does nothing. */
function entry(name, ...children) {
    const item = new PopupMenu.PopupBaseMenuItem({activate: false, hover: false});
    item.accessible_name = name;
    const column = new St.BoxLayout({style_class: 'ullage-entry', x_expand: true});
    column.layout_manager.orientation = Clutter.Orientation.VERTICAL;
    children.forEach(child => column.add_child(child));
    item.add_child(column);
    return item;
}

function rowEntry(row, counts) {
    const head = new St.BoxLayout({style_class: 'ullage-head', x_expand: true});
    head.add_child(new St.Label({text: row.label, x_expand: true}));
    if (row.course) {
        const course = new Gauge(drawCourse(row.course), {
            style_class: 'ullage-course', opacity: 160, y_align: Clutter.ActorAlign.CENTER,
        });
        course.show_share(null, row.colour);
        head.add_child(course);
    }
    head.add_child(new St.Label({
        text: row.text, style_class: 'ullage-number', style: `font-weight: bold;${row.colour ? ` color: ${row.colour};` : ''}`,
    }));
    const children = [head];
    if (row.used_percent !== null) {
        const bar = new Gauge(drawBar, {style_class: 'ullage-bar', x_expand: true});
        bar.show_share(shareOf(row.used_percent, counts), row.colour, shareOf(row.elapsed_percent ?? null, counts));
        children.push(bar);
    }
    if (row.outlook)
        children.push(text(row.outlook, {style_class: 'ullage-small', opacity: 190}));
    return entry([row.label, row.text, row.outlook].filter(Boolean).join(', '), ...children);
}

const Indicator = GObject.registerClass(
class UllageIndicator extends PanelMenu.Button {
    _init(settings, ask, openPreferences) {
        super._init(0.5, 'ullage');
        this._settings = settings;
        this._panel = NOTHING;
        this._notice = '';
        const box = new St.BoxLayout({style_class: 'panel-status-indicators-box'});
        this._ring = new Gauge(drawRing, {style_class: 'ullage-ring', y_align: Clutter.ActorAlign.CENTER});
        this._label = new St.Label({y_align: Clutter.ActorAlign.CENTER});
        box.add_child(this._ring);
        box.add_child(this._label);
        this.add_child(box);
        this._rows = new PopupMenu.PopupMenuSection();
        this.menu.addMenuItem(this._rows);
        this.menu.addMenuItem(new PopupMenu.PopupSeparatorMenuItem());
        this.menu.addAction('Refresh', () => ask('refresh'));
        this.menu.addAction('Open the usage page', () => ask('open'));
        this.menu.addAction('Preferences', openPreferences);
        // A menu that nobody sees is not built.
        this.menu.connect('open-state-changed', (_menu, isOpen) => isOpen && this._fill());
        this.arrange();
        this._draw();
    }

    show_panel(panel) {
        this._panel = panel;
        this._notice = '';
        this._draw();
    }

    /** Say a line in the place of numbers that nobody keeps current. */
    show_notice(notice) {
        this._panel = NOTHING;
        this._notice = notice;
        this._draw();
    }

    /** Say whether the bar is light, by the text that it has. */
    is_on_light() {
        const own = this.get_theme_node().get_foreground_color();
        return own.red + own.green + own.blue < 3 * 128;
    }

    arrange() {
        const show = this._settings.get_string('show');
        this._ring.visible = show !== 'text';
        this._label.visible = show !== 'ring';
    }

    _draw() {
        const panel = this._panel;
        const spans = panel.text ? panel.spans : [{text: '?', colour: null}];
        const markup = markupOf(spans);
        if (markup !== this._markup) {
            this._markup = markup;
            this._label.clutter_text.set_markup(markup);
        }
        this._ring.show_share(panel.text ? shareOf(panel.used_percent, panel.counts) : null, panel.colour);
        this.accessible_name = `ullage: ${panel.text || this._notice || panel.origin}`;
        if (this.menu.isOpen)
            this._fill();
    }

    _fill() {
        const panel = this._panel;
        this._rows.removeAll();
        panel.rows.forEach(row => this._rows.addMenuItem(rowEntry(row, panel.counts)));
        for (const line of [this._notice, panel.problem, panel.origin].filter(Boolean))
            this._rows.addMenuItem(entry(line, text(line, {style_class: 'ullage-small', opacity: 190})));
    }
});

class UllageExtension extends Extension {
    enable() {
        this._settings = this.getSettings();
        this._indicator = new Indicator(this._settings, word => this._ask(word), () => this.openPreferences());
        this._pause = SHORTEST_PAUSE_SECONDS;
        this._connections = [
            this._settings.connect('changed::show', () => this._indicator.arrange()),
            ...['window', 'count', 'program'].map(
                key => this._settings.connect(`changed::${key}`, () => this._restart())),
        ];
        // Only what stands in the bar has the bar's colours.
        Main.panel.addToStatusArea(this.metadata.uuid, this._indicator);
        this._start();
    }

    disable() {
        this._stop();
        this._connections.forEach(connection => this._settings.disconnect(connection));
        this._indicator.destroy();
        this._indicator = this._settings = this._connections = null;
    }

    _ask(word) {
        // Who asks while nothing runs has perhaps installed it since.
        if (this._follower)
            this._follower.ask(word);
        else
            this._restart();
    }

    _restart() {
        this._stop();
        this._pause = SHORTEST_PAUSE_SECONDS;
        this._start();
    }

    _start() {
        const program = findProgram(this._settings, this.metadata);
        if (program === null) {
            this._wait(INSTALL);
            return;
        }
        const window = this._settings.get_string('window');
        const count = this._settings.get_string('count');
        const words = [
            '--background', this._indicator.is_on_light() ? 'light' : 'dark',
            ...window ? ['--window', window] : [],
            ...count === 'config' ? [] : ['--count', count],
        ];
        try {
            this._follower = new Follower(program, words, panel => {
                this._pause = SHORTEST_PAUSE_SECONDS;
                this._indicator.show_panel(panel);
            }, () => {
                this._follower = null;
                this._wait(ENDED);
            });
        } catch (error) {
            this._wait(`${program}: ${error.message}`);
        }
    }

    _wait(notice) {
        this._indicator.show_notice(notice);
        this._timer = GLib.timeout_add_seconds(GLib.PRIORITY_LOW, this._pause, () => {
            this._timer = null;
            this._start();
            return GLib.SOURCE_REMOVE;
        });
        this._pause = Math.min(LONGEST_PAUSE_SECONDS, this._pause * 2);
    }

    _stop() {
        if (this._timer)
            GLib.source_remove(this._timer);
        if (this._follower)
            this._follower.stop();
        this._timer = this._follower = null;
    }
}
