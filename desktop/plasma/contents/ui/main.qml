import QtQuick
import QtQuick.Layouts
import org.kde.kirigami as Kirigami
import org.kde.plasma.components as PlasmaComponents
import org.kde.plasma.core as PlasmaCore
import org.kde.plasma.extras as PlasmaExtras
import org.kde.plasma.plasma5support as Plasma5Support
import org.kde.plasma.plasmoid

import "Program.js" as Program

/**
 * Shows what `ullage panel json` writes. A widget can start a program, but not listen to it while it runs: so one waits
 * for the next change (`--after`), tells it and ends. An open popup is renewed each minute as well.
 */
PlasmoidItem {
    id: root

    readonly property var nothing: ({
        revision: "", text: "", short_text: "", spans: [], colour: null, used_percent: null, counts: "used", rows: [], origin: "",
        problem: null, refresh: [],
    })
    readonly property string program: Plasmoid.configuration.program || Program.path
    readonly property string words: [
        Plasmoid.configuration.window ? `--window ${quoted(Plasmoid.configuration.window)}` : "",
        Plasmoid.configuration.count === "config" ? "" : `--count ${quoted(Plasmoid.configuration.count)}`,
        `--background ${Kirigami.Theme.backgroundColor.hslLightness < 0.5 ? "dark" : "light"}`,
    ].filter(Boolean).join(" ")
    readonly property string command: `exec ${quoted(program)} panel json ${words}`
    readonly property var shortSpans: [{text: panel.short_text, colour: panel.colour, bold: false}]
    readonly property bool showsRing: Plasmoid.configuration.show !== "text"
    readonly property bool showsText: Plasmoid.configuration.show !== "ring"
    property var panel: nothing
    property string notice: ""

    toolTipMainText: panel.text || "ullage"
    toolTipSubText: notice || panel.rows.map(row => `${row.label}: ${row.text}`).join("\n")
    toolTipTextFormat: Text.PlainText
    onCommandChanged: restart()
    onExpandedChanged: expanded && look()
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

    function shareOf(percent) {
        if (percent === null)
            return null;
        const share = Math.min(100, Math.max(0, percent));
        return (panel.counts === "left" ? 100 - share : share) / 100;
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

    function refresh() {
        if (panel.refresh.length)
            programs.connectSource(`exec ${panel.refresh.map(quoted).join(" ")}`);
        look();
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
        id: button

        readonly property bool isVertical: Plasmoid.formFactor === PlasmaCore.Types.Vertical
        readonly property int ringSize: Math.min(Kirigami.Units.iconSizes.smallMedium, isVertical ? width : height)

        Layout.minimumWidth: isVertical ? -1 : line.implicitWidth + Kirigami.Units.smallSpacing * 2
        Layout.minimumHeight: isVertical ? line.implicitHeight + Kirigami.Units.smallSpacing * 2 : -1
        onClicked: root.expanded = !root.expanded
        Accessible.role: Accessible.Button
        Accessible.name: `ullage: ${root.panel.text || root.notice || root.panel.origin}`

        GridLayout {
            id: line
            anchors.centerIn: parent
            width: button.isVertical ? parent.width : implicitWidth
            columns: button.isVertical ? 1 : 2
            rowSpacing: 0
            columnSpacing: Kirigami.Units.smallSpacing

            Gauge {
                visible: root.showsRing
                Layout.alignment: Qt.AlignCenter
                Layout.preferredWidth: button.ringSize
                Layout.preferredHeight: button.ringSize
                share: root.panel.text ? root.shareOf(root.panel.used_percent) : null
                colour: root.panel.colour
            }
            PlasmaComponents.Label {
                visible: root.showsText
                Layout.fillWidth: button.isVertical
                horizontalAlignment: Text.AlignHCenter
                textFormat: Text.StyledText
                fontSizeMode: button.isVertical ? Text.HorizontalFit : Text.FixedSize
                minimumPointSize: 5
                text: root.panel.text ? root.styled(button.isVertical ? root.shortSpans : root.panel.spans) : "?"
            }
        }
    }

    fullRepresentation: PlasmaExtras.Representation {
        id: popup

        Layout.preferredWidth: Kirigami.Units.gridUnit * 20
        Layout.minimumWidth: Layout.preferredWidth
        Layout.preferredHeight: heading.implicitHeight + content.implicitHeight + Kirigami.Units.largeSpacing * 2
        Layout.minimumHeight: Layout.preferredHeight
        Layout.maximumHeight: Layout.preferredHeight
        collapseMarginsHint: true

        header: PlasmaExtras.PlasmoidHeading {
            id: heading

            contentItem: RowLayout {
                spacing: Kirigami.Units.smallSpacing

                ColumnLayout {
                    Layout.leftMargin: Kirigami.Units.smallSpacing
                    spacing: 0

                    PlasmaComponents.Label {
                        Layout.fillWidth: true
                        font.bold: true
                        text: "Claude usage"
                    }
                    PlasmaComponents.Label {
                        visible: text
                        Layout.fillWidth: true
                        textFormat: Text.PlainText
                        elide: Text.ElideRight
                        opacity: 0.8
                        font: Kirigami.Theme.smallFont
                        text: root.panel.origin
                    }
                }
                PlasmaComponents.ToolButton {
                    display: PlasmaComponents.AbstractButton.IconOnly
                    text: "Refresh"
                    icon.name: "view-refresh"
                    onClicked: root.refresh()
                    PlasmaComponents.ToolTip.text: text
                    PlasmaComponents.ToolTip.visible: hovered
                }
                PlasmaComponents.ToolButton {
                    display: PlasmaComponents.AbstractButton.IconOnly
                    text: "Open the usage page"
                    icon.name: "internet-services"
                    onClicked: Qt.openUrlExternally("https://claude.ai/settings/usage")
                    PlasmaComponents.ToolTip.text: text
                    PlasmaComponents.ToolTip.visible: hovered
                }
            }
        }

        ColumnLayout {
            id: content
            anchors {
                left: parent.left
                right: parent.right
                top: parent.top
                margins: Kirigami.Units.largeSpacing
            }
            spacing: Kirigami.Units.largeSpacing

            Repeater {
                model: root.panel.rows

                WindowRow {
                    shareOf: root.shareOf
                }
            }
            RowLayout {
                visible: sentence.text
                spacing: Kirigami.Units.smallSpacing

                Kirigami.Icon {
                    Layout.alignment: Qt.AlignTop
                    Layout.preferredWidth: Kirigami.Units.iconSizes.small
                    Layout.preferredHeight: Kirigami.Units.iconSizes.small
                    source: "dialog-warning"
                }
                PlasmaComponents.Label {
                    id: sentence
                    Layout.fillWidth: true
                    textFormat: Text.PlainText
                    wrapMode: Text.Wrap
                    text: root.notice || root.panel.problem || ""
                }
            }
        }

        // Minutes pass while it is looked at; what lies on the desktop always is.
        Timer {
            interval: 60000
            repeat: true
            running: root.expanded || Plasmoid.formFactor === PlasmaCore.Types.Planar
            onTriggered: root.look()
        }
    }
}
