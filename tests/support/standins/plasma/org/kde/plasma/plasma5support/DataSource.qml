import QtQuick

/** Has the test run command lines in a shell, as Plasma's own source would. */
QtObject {
    property string engine
    property var connectedSources: []
    property var numbers: ({})
    property int last: 0
    signal newData(string source, var data)

    function connectSource(source) {
        if (connectedSources.includes(source))
            return;
        connectedSources = [...connectedSources, source];
        const number = numbers[source] = ++last;
        ask(`run/${number}`, source, told => numbers[source] === number && newData(source, JSON.parse(told)));
    }

    function disconnectSource(source) {
        connectedSources = connectedSources.filter(other => other !== source);
        ask(`end/${numbers[source]}`, "", () => {});
        delete numbers[source];
    }

    function ask(path, text, done) {
        const call = new XMLHttpRequest();
        call.onreadystatechange = () => call.readyState === XMLHttpRequest.DONE && done(call.responseText);
        call.open("POST", `${Qt.application.arguments.slice(-1)[0]}/${path}`);
        call.send(text);
    }
}
