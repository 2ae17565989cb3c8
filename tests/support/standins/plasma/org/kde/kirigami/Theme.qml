pragma Singleton
import QtQuick

/** Breeze's colours, light or dark. */
QtObject {
    property bool isDark: false
    readonly property color textColor: isDark ? "#fcfcfc" : "#232629"
    readonly property color backgroundColor: isDark ? "#292c30" : "#eff0f1"
    readonly property font smallFont: Qt.font({pointSize: 8})
}
