import QtQuick
import QtQuick.Layouts
import org.kde.kirigami as Kirigami
import org.kde.plasma.components as PlasmaComponents

/** A window, the credits or a pool: its number over a bar, with a tick for the time that has passed, and its outlook. */
ColumnLayout {
    id: line

    required property var modelData
    required property var shareOf
    readonly property color colour: modelData.colour || Kirigami.Theme.textColor

    spacing: Kirigami.Units.smallSpacing

    RowLayout {
        spacing: Kirigami.Units.largeSpacing

        PlasmaComponents.Label {
            Layout.fillWidth: true
            textFormat: Text.PlainText
            elide: Text.ElideRight
            text: line.modelData.label
        }
        Row {
            id: course
            Layout.alignment: Qt.AlignBottom
            Layout.bottomMargin: number.height - number.baselineOffset
            spacing: 1

            // Drawn and not written: letters of blocks are as wide as a font likes.
            Repeater {
                model: Array.from(line.modelData.course)

                Item {
                    required property string modelData

                    width: 3
                    height: number.baselineOffset * 0.75

                    Rectangle {
                        anchors.bottom: parent.bottom
                        width: parent.width
                        height: parent.height * ("▁▂▃▄▅▆▇█".indexOf(parent.modelData) + 1) / 8
                        color: line.colour
                        opacity: 0.6
                    }
                }
            }
        }
        PlasmaComponents.Label {
            id: number
            Layout.minimumWidth: Kirigami.Units.gridUnit * 2.5
            horizontalAlignment: Text.AlignRight
            textFormat: Text.PlainText
            font.bold: true
            color: line.colour
            text: line.modelData.text
        }
    }
    Item {
        visible: line.modelData.used_percent !== null
        Layout.fillWidth: true
        implicitHeight: tick.height

        Rectangle {
            id: bar
            anchors.verticalCenter: parent.verticalCenter
            width: parent.width
            height: Math.round(Kirigami.Units.smallSpacing * 1.5)
            radius: height / 2
            color: Qt.alpha(Kirigami.Theme.textColor, 0.2)
        }
        Rectangle {
            anchors.verticalCenter: parent.verticalCenter
            // From a first pixel on it is as round as the bar.
            visible: share > 0
            width: Math.max(bar.height, bar.width * share)
            height: bar.height
            radius: bar.radius
            color: line.colour

            readonly property real share: line.shareOf(line.modelData.used_percent || 0)
        }
        Rectangle {
            id: tick
            visible: Number.isFinite(line.modelData.elapsed_percent)
            x: Math.round((parent.width - width) * line.shareOf(line.modelData.elapsed_percent || 0))
            width: 2
            height: bar.height + 4
            radius: 1
            color: Kirigami.Theme.textColor
        }
    }
    PlasmaComponents.Label {
        visible: text
        Layout.fillWidth: true
        textFormat: Text.PlainText
        wrapMode: Text.Wrap
        opacity: 0.8
        font: Kirigami.Theme.smallFont
        text: line.modelData.outlook
    }
}
