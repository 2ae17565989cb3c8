pragma Singleton
import QtQuick

QtObject {
    readonly property int gridUnit: 18
    readonly property int smallSpacing: 4
    readonly property int largeSpacing: 8
    readonly property var iconSizes: ({small: 16, smallMedium: 22})
}
