import org.kde.plasma.configuration

ConfigModel {
    ConfigCategory {
        name: "General"
        icon: "office-chart-pie"
        source: "Preferences.qml"
    }
}
