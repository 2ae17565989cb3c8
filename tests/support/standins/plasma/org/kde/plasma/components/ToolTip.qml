import QtQuick.Controls.Basic as Basic

Basic.ToolTip {}
