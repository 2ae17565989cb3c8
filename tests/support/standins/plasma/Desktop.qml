import QtQuick
import QtQuick.Window
import org.kde.kirigami as Kirigami
import org.kde.plasma.plasmoid

/** Shows a widget, and evaluates what a test asks for: its last two words are the widget and the test's address. */
Window {
    id: desktop

    readonly property var words: Qt.application.arguments.slice(-2)
    readonly property var widget: loader.item
    readonly property var plasmoid: Plasmoid
    readonly property var theme: Kirigami.Theme

    visible: true
    width: 400
    height: 600

    Rectangle {
        id: ground
        anchors.fill: parent
        color: Kirigami.Theme.backgroundColor

        Loader {
            id: loader
            anchors.fill: parent
            source: desktop.words[0]
            onStatusChanged: status === Loader.Error && Qt.exit(1)
            onLoaded: desktop.next()
        }
    }

    /** Return every visible item in one that `wanted` is true of, with how opaque it is. */
    function find(item, wanted, opacity = 1) {
        if (!item || !item.visible)
            return [];
        const own = opacity * item.opacity;
        const inside = Array.from(item.children).map(child => find(child, wanted, own));
        return [].concat(wanted(item) ? [{item, opacity: own}] : [], ...inside);
    }

    function labels(item) {
        return find(item, each => each.textFormat !== undefined && each.text).map(({item, opacity}) => (
            {text: item.text, colour: `${item.color}`, opacity, ends: item.mapToItem(ground, item.width, item.height)}));
    }

    function press(text) {
        find(loader.item, each => each.text === text && each.clicked)[0].item.clicked();
    }

    function next() {
        ask("next", "", code => {
            const answer = value => ask("answer", JSON.stringify(value === undefined ? null : value), next);
            const picture = code.match(/^picture (.*)/);
            try {
                if (picture)
                    ground.grabToImage(shot => answer(shot.saveToFile(picture[1])));
                else
                    answer(eval(code));
            } catch (error) {
                answer(`${error}`);
            }
        });
    }

    function ask(path, text, done) {
        const call = new XMLHttpRequest();
        call.onreadystatechange = () => call.readyState === XMLHttpRequest.DONE && done(call.responseText);
        call.open("POST", `${desktop.words[1]}/${path}`);
        call.send(text);
    }
}
