import QtQuick.Controls.Basic

Page {
    property bool collapseMarginsHint

    background: null
}
