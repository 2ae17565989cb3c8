// VS Code's own part as far as desktop/vscode uses it: prints the item whenever it is shown or hidden, and runs the
// command that a line on stdin names.
const Module = require('node:module');
const readline = require('node:readline');

const commands = {};
const settings = { program: 'ullage', window: '', count: 'config', ...JSON.parse(process.argv[3] ?? '{}') };
const item = {
    show: () => console.log(JSON.stringify({ shown: true, ...item })),
    hide: () => console.log(JSON.stringify({ shown: false, ...item })),
};
const vscode = {
    StatusBarAlignment: { Right: 2 },
    ColorThemeKind: { Light: 1, Dark: 2, HighContrast: 3, HighContrastLight: 4 },
    QuickPickItemKind: { Separator: -1 },
    ThemeColor: class { constructor(id) { this.id = id; } },
    commands: { registerCommand: (name, run) => { commands[name] = run; } },
    window: {
        activeColorTheme: { kind: settings.theme ?? 2 },
        onDidChangeActiveColorTheme: () => {},
        createStatusBarItem: () => item,
        showQuickPick: async entries => {
            console.log(JSON.stringify({ entries }));
            return entries.find(entry => entry.word === 'open');
        },
    },
    workspace: { getConfiguration: () => ({ get: name => settings[name] }), onDidChangeConfiguration: () => {} },
};

const load = Module._load;
Module._load = (name, ...rest) => (name === 'vscode' ? vscode : load(name, ...rest));
const extension = require(process.argv[2]);
extension.activate({ subscriptions: [] });
const input = readline.createInterface({ input: process.stdin });
input.on('line', line => commands[line]());
input.on('close', () => { extension.deactivate(); process.exit(0); });
