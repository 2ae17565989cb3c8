pragma Singleton
import QtQuick

QtObject {
    property int formFactor: 2
    readonly property QtObject configuration: QtObject {
        property string window: ""
        property string count: "config"
        property string show: "ring-and-text"
        property string program: ""
    }
}
