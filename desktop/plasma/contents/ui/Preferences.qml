import QtQuick
import QtQuick.Controls as Controls
import QtQuick.Layouts
import org.kde.kirigami as Kirigami
import org.kde.kcmutils as KCM

KCM.SimpleKCM {
    property alias cfg_window: window.text
    property string cfg_count
    property string cfg_show
    property alias cfg_program: program.text
    property string cfg_windowDefault
    property string cfg_countDefault
    property string cfg_showDefault
    property string cfg_programDefault

    Kirigami.FormLayout {
        Controls.TextField {
            id: window
            Kirigami.FormData.label: "Window:"
            Layout.fillWidth: true
            placeholderText: "nearest to its limit; or 5h, 7d, a model"
        }
        Controls.ComboBox {
            Kirigami.FormData.label: "Numbers:"
            Layout.fillWidth: true
            textRole: "text"
            valueRole: "value"
            model: [
                {text: "As config.toml wants it", value: "config"},
                {text: "What is used", value: "used"},
                {text: "What is left", value: "left"},
            ]
            Component.onCompleted: currentIndex = indexOfValue(cfg_count)
            onActivated: cfg_count = currentValue
        }
        Controls.ComboBox {
            Kirigami.FormData.label: "In the panel:"
            Layout.fillWidth: true
            textRole: "text"
            valueRole: "value"
            model: [
                {text: "A ring and the text", value: "ring-and-text"},
                {text: "The text", value: "text"},
                {text: "A ring", value: "ring"},
            ]
            Component.onCompleted: currentIndex = indexOfValue(cfg_show)
            onActivated: cfg_show = currentValue
        }
        Controls.TextField {
            id: program
            Kirigami.FormData.label: "Program:"
            Layout.fillWidth: true
            placeholderText: "the one that set this up"
        }
    }
}
