import QtQuick
import org.kde.kirigami as Kirigami

/** A share from 0 to 1, null for unknown, drawn as a ring. */
Canvas {
    property var share: null
    property var colour: null

    onShareChanged: requestPaint()
    onColourChanged: requestPaint()
    onPaint: {
        const context = getContext("2d");
        const line = Math.max(2, height / 6);
        const arc = (style, length) => {
            context.strokeStyle = style;
            context.beginPath();
            context.arc(width / 2, height / 2, (Math.min(width, height) - line) / 2,
                -Math.PI / 2, -Math.PI / 2 + length * 2 * Math.PI);
            context.stroke();
        };
        context.reset();
        context.lineWidth = line;
        arc(Qt.alpha(Kirigami.Theme.textColor, 0.25), 1);
        if (share)
            arc(colour || Kirigami.Theme.textColor, share);
    }
}
