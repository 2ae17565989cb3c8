import QtQuick.Controls.Basic

ToolBar {
    background: null
}
