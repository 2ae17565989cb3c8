import QtQuick
import QtQuick.Layouts
import org.kde.kirigami as Kirigami
import org.kde.plasma.components as PlasmaComponents
import org.kde.plasma.extras as PlasmaExtras
import org.kde.plasma.plasma5support as Plasma5Support
import org.kde.plasma.plasmoid

import "Program.js" as Program

/**
 * Shows what `ullage panel json` writes. A widget can start a program, but not listen to it while it runs: so one waits
 * for the next change (`--after`), tells it and ends. Whoever looks at the popup has the minutes told anew.
 */
PlasmoidItem {
    id: root

    readonly property var nothing: ({
        revision: "", text: "", spans: [], colour: null, used_percent: null, counts: "used", rows: [], origin: "",
        problem: null, refresh: [],
    })
    readonly property string program: Plasmoid.configuration.program || Program.path
    readonly property string words: [
        Plasmoid.configuration.window ? `--window ${quoted(Plasmoid.configuration.window)}` : "",
        Plasmoid.configuration.count === "config" ? "" : `--count ${quoted(Plasmoid.configuration.count)}`,
        `--background ${Kirigami.Theme.backgroundColor.hslLightness < 0.5 ? "dark" : "light"}`,
    ].filter(Boolean).join(" ")
    readonly property string command: `exec ${quoted(program)} panel json ${words}`
    readonly property bool showsRing: Plasmoid.configuration.show !== "text"
    readonly property bool showsText: Plasmoid.configuration.show !== "ring"
    property var panel: nothing
    property string notice: ""

    toolTipMainText: panel.text || "ullage"
    toolTipSubText: notice || panel.rows.map(row => `${row.label}: ${row.text}`).join("\n")
    toolTipTextFormat: Text.PlainText
    preferredRepresentation: compactRepresentation
    onCommandChanged: restart()
    onExpandedChanged: isExpanded => isExpanded && look()
    Component.onCompleted: restart()

    function quoted(word) {
        return `'${word.replace(/'/g, "'\\''")}'`;
    }

    function escaped(text) {
        return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
    }

    function styled(spans) {
        return spans.map(span => {
            const text = escaped(span.text).replace(/ /g, "&nbsp;");
            const bold = span.bold ? `<b>${text}</b>` : text;
            return span.colour ? `<font color="${span.colour}">${bold}</font>` : bold;
        }).join("");
    }

    function shareOf(usedPercent) {
        if (usedPercent === null)
            return null;
        const used = Math.min(100, Math.max(0, usedPercent));
        return (panel.counts === "left" ? 100 - used : used) / 100;
    }

    function restart() {
        pause.stop();
        pause.interval = 5000;
        programs.connectedSources.forEach(source => programs.disconnectSource(source));
        panel = nothing;
        wait();
    }

    /** Have the next change told. */
    function wait() {
        programs.connectSource(`${command} --after ${quoted(panel.revision)}`);
    }

    /** Have what there is told now; where nothing waits, wait again. */
    function look() {
        if (notice)
            restart();
        else
            programs.connectSource(command);
    }

    function take(source, data) {
        const waited = source.includes(" --after ");
        if (data["exit code"] !== 0) {
            // What is missing is not looked for again and again: whoever opens the popup has it looked for.
            const missing = data["exit code"] === 127 || data["exit code"] === 126;
            panel = nothing;
            notice = missing ? "ullage is not installed. In a clone of it, run: pipx install ."
                : "`ullage panel json` failed. Run it in a terminal to see why.";
            if (waited && !missing)
                pause.start();
            return;
        }
        try {
            panel = Object.assign({}, nothing, JSON.parse(data.stdout));
        } catch (error) {
            return;
        }
        notice = "";
        pause.interval = 5000;
        if (waited)
            wait();
    }

    Timer {
        id: pause
        onTriggered: {
            interval = Math.min(300000, interval * 2);
            root.wait();
        }
    }

    Plasma5Support.DataSource {
        id: programs
        engine: "executable"
        onNewData: (source, data) => {
            disconnectSource(source);
            if (source.startsWith(root.command))
                root.take(source, data);
        }
    }

    compactRepresentation: MouseArea {
        Layout.minimumWidth: line.implicitWidth + Kirigami.Units.smallSpacing * 2
        onClicked: root.expanded = !root.expanded
        Accessible.role: Accessible.Button
        Accessible.name: `ullage: ${root.panel.text || root.notice || root.panel.origin}`

        RowLayout {
            id: line
            anchors.centerIn: parent
            spacing: Kirigami.Units.smallSpacing

            Gauge {
                visible: root.showsRing
                Layout.preferredWidth: Kirigami.Units.iconSizes.small
                Layout.preferredHeight: Kirigami.Units.iconSizes.small
                share: root.panel.text ? root.shareOf(root.panel.used_percent) : null
                colour: root.panel.colour
            }
            PlasmaComponents.Label {
                visible: root.showsText
                textFormat: Text.StyledText
                text: root.panel.text ? root.styled(root.panel.spans) : "?"
            }
        }
    }

    fullRepresentation: PlasmaExtras.Representation {
        Layout.preferredWidth: Kirigami.Units.gridUnit * 20
        Layout.preferredHeight: rows.implicitHeight + Kirigami.Units.largeSpacing * 2
        Layout.minimumHeight: Layout.preferredHeight

        ColumnLayout {
            id: rows
            anchors.fill: parent
            anchors.margins: Kirigami.Units.largeSpacing
            spacing: Kirigami.Units.largeSpacing

            Repeater {
                model: root.panel.rows

                ColumnLayout {
                    required property var modelData
                    spacing: Kirigami.Units.smallSpacing

                    RowLayout {
                        PlasmaComponents.Label {
                            Layout.fillWidth: true
                            textFormat: Text.PlainText
                            elide: Text.ElideRight
                            text: modelData.label
                        }
                        PlasmaComponents.Label {
                            textFormat: Text.PlainText
                            opacity: 0.7
                            text: modelData.course
                        }
                        PlasmaComponents.Label {
                            textFormat: Text.PlainText
                            font.bold: true
                            color: modelData.colour || Kirigami.Theme.textColor
                            text: modelData.text
                        }
                    }
                    Rectangle {
                        visible: modelData.used_percent !== null
                        Layout.fillWidth: true
                        implicitHeight: Math.round(Kirigami.Units.smallSpacing * 1.5)
                        radius: height / 2
                        color: Qt.alpha(Kirigami.Theme.textColor, 0.2)

                        Rectangle {
                            width: parent.width * (root.shareOf(modelData.used_percent) || 0)
                            height: parent.height
                            radius: parent.radius
                            color: modelData.colour || Kirigami.Theme.textColor
                        }
                    }
                    PlasmaComponents.Label {
                        visible: text
                        Layout.fillWidth: true
                        textFormat: Text.PlainText
                        wrapMode: Text.Wrap
                        opacity: 0.8
                        font: Kirigami.Theme.smallFont
                        text: modelData.outlook
                    }
                }
            }
            PlasmaComponents.Label {
                Layout.fillWidth: true
                textFormat: Text.PlainText
                wrapMode: Text.Wrap
                opacity: 0.8
                font: Kirigami.Theme.smallFont
                text: [root.notice, root.panel.problem, root.panel.origin].filter(Boolean).join("\n")
            }
            RowLayout {
                PlasmaComponents.Button {
                    text: "Refresh"
                    icon.name: "view-refresh"
                    enabled: root.panel.refresh.length
                    onClicked: programs.connectSource(`exec ${root.panel.refresh.map(root.quoted).join(" ")}`)
                }
                PlasmaComponents.Button {
                    text: "Open the usage page"
                    icon.name: "internet-web-browser"
                    onClicked: Qt.openUrlExternally("https://claude.ai/settings/usage")
                }
            }
        }
    }
}
