import QtQuick
import QtQuick.Controls.Basic
import org.kde.kirigami as Kirigami

Label {
    color: Kirigami.Theme.textColor
}
