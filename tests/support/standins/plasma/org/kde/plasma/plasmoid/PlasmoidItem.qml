import QtQuick
import QtQuick.Layouts

/** The small form on a panel of its own, and below it the large one for as long as it is expanded. */
Item {
    property Component compactRepresentation
    property Component fullRepresentation
    property Component preferredRepresentation
    property string toolTipMainText
    property string toolTipSubText
    property int toolTipTextFormat
    property bool expanded: false
    readonly property alias small: small
    readonly property alias large: large

    Loader {
        id: small
        sourceComponent: compactRepresentation
        x: 8
        width: item ? Math.max(item.Layout.minimumWidth, item.Layout.preferredWidth) : 0
        height: 32
    }
    Loader {
        id: large
        active: expanded
        sourceComponent: fullRepresentation
        y: 40
        width: item ? item.Layout.preferredWidth : 0
        height: item ? item.Layout.preferredHeight : 0
    }
}
