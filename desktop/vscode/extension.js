// Shows what `ullage panel json --follow` writes in the status bar; starts nothing else.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const vscode = require('vscode');

const SHORTEST_PAUSE = 5_000;
const LONGEST_PAUSE = 300_000;

let item, child, timer, panel;
let pause = SHORTEST_PAUSE;

function activate(context) {
    item = vscode.window.createStatusBarItem('ullage', vscode.StatusBarAlignment.Right, 100);
    item.name = 'ullage';
    item.command = 'ullage.menu';
    context.subscriptions.push(
        item,
        vscode.commands.registerCommand('ullage.menu', showMenu),
        vscode.commands.registerCommand('ullage.refresh', () => ask('refresh')),
        vscode.commands.registerCommand('ullage.open', () => ask('open')),
        vscode.window.onDidChangeActiveColorTheme(restart),
        vscode.workspace.onDidChangeConfiguration(event => event.affectsConfiguration('ullage') && restart()),
    );
    start();
}

function deactivate() {
    stop();
}

function start() {
    const settings = vscode.workspace.getConfiguration('ullage');
    const window = settings.get('window');
    const count = settings.get('count');
    const words = ['panel', 'json', '--follow'];
    if (window) words.push('--window', window);
    if (count !== 'config') words.push('--count', count);
    const { Light, HighContrastLight } = vscode.ColorThemeKind;
    const isLight = [Light, HighContrastLight].includes(vscode.window.activeColorTheme.kind);
    words.push('--background', isLight ? 'light' : 'dark');
    const started = spawn(find(settings.get('program')), words, { stdio: ['pipe', 'pipe', 'ignore'], windowsHide: true });
    child = started;
    started.on('error', () => ended(started, 'ullage is not installed. In a clone of it, run: pipx install .'));
    started.on('exit', () => ended(started, 'ullage panel json --follow ended. Run it in a terminal to see why.'));
    started.stdin.on('error', () => {});
    readline.createInterface({ input: started.stdout }).on('line', line => {
        pause = SHORTEST_PAUSE;
        panel = JSON.parse(line);
        // A dollar and a parenthesis would be the name of an icon.
        show(panel.text.replaceAll('$(', '$\u200b('), panel.tooltip, panel.colour, panel.level === 'exhausted');
    });
}

/** Return the program, or where pipx and uv put it when no PATH of a desktop's names that. */
function find(program) {
    const isOnPath = (process.env.PATH ?? '').split(path.delimiter).some(folder => fs.existsSync(path.join(folder, program)));
    const own = path.join(os.homedir(), '.local', 'bin', 'ullage');
    return program === 'ullage' && !isOnPath && fs.existsSync(own) ? own : program;
}

function ended(which, notice) {
    if (which !== child) return;
    child = panel = undefined;
    show('ullage?', notice, null, false);
    timer = setTimeout(start, pause);
    pause = Math.min(LONGEST_PAUSE, pause * 2);
}

function stop() {
    clearTimeout(timer);
    const stopped = child;
    child = undefined;
    stopped?.kill();
}

function restart() {
    stop();
    pause = SHORTEST_PAUSE;
    start();
}

function ask(word) {
    if (child) child.stdin.write(`${word}\n`);
    else restart();
}

function show(text, tooltip, colour, alarming) {
    item.text = text;
    item.tooltip = tooltip;
    item.color = alarming ? undefined : colour ?? undefined;
    item.backgroundColor = alarming ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
    // No text is nothing to show.
    if (text) item.show();
    else item.hide();
}

async function showMenu() {
    const rows = (panel?.rows ?? []).map(row => ({ label: row.label, description: row.text, detail: row.outlook }));
    const about = [panel?.problem, panel?.origin].filter(Boolean).map(line => ({ label: line }));
    const actions = [{ label: 'Refresh', word: 'refresh' }, { label: 'Open the usage page', word: 'open' }];
    const line = { label: '', kind: vscode.QuickPickItemKind.Separator };
    const chosen = await vscode.window.showQuickPick([...rows, ...about, line, ...actions], { title: 'ullage' });
    if (chosen?.word) ask(chosen.word);
}

module.exports = { activate, deactivate };
