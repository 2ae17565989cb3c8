import QtQuick

Item {
    property string source
}
