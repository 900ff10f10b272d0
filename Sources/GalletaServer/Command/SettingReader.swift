internal import FastCGI

/// Reads settings: the command line first, then the environment; errors name what was wrong as it was given.
///
/// For one thread.
final class SettingReader {
    let environment: ProcessEnvironment
    /// The variables that gave a setting, by the setting's name.
    private var variables: [String: String] = [:]

    init(environment: ProcessEnvironment) {
        self.environment = environment
    }

    /// The text of a setting and where it came from.
    func text(_ option: String?, _ name: String) -> (text: String, field: String)? {
        if let option { return (option, "--\(name)") }
        let variable = ProcessEnvironment.variable(of: name)
        guard let text = environment[variable] else { return nil }
        variables[name] = variable
        return (text, variable)
    }

    /// The setting as it was given, option or variable; the option if it was not.
    func field(of name: String) -> String {
        variables[name] ?? "--\(name)"
    }

    /// A list: the repeated option, else the variable's values between commas.
    func list(_ option: [String], _ name: String) -> [String] {
        if !option.isEmpty { return option }
        guard let value = text(nil, name) else { return [] }
        return value.text.split(separator: ",").map { $0.trimmingBlanks }
    }

    /// Words and where they came from: the variable's between blanks, then those of the repeated option.
    func words(_ option: [String], _ name: String, variable: String) -> [(text: String, field: String)] {
        let words = environment[variable]?.split(whereSeparator: \.isWhitespace) ?? []
        if option.isEmpty, !words.isEmpty { variables[name] = variable }
        return words.map { (String($0), variable) } + option.map { ($0, "--\(name)") }
    }

    /// A switch: the flag, else the variable.
    func flag(_ option: Bool?, _ name: String, default standard: Bool) throws(ConfigurationError) -> Bool {
        if let option { return option }
        return try choice(nil, name, ["on": true, "1": true, "off": false, "0": false], default: standard)
    }

    /// Refuses a setting that has another name now, whose default would take effect in silence.
    func refuse(_ option: String?, _ name: String, now newName: String) throws(ConfigurationError) {
        guard let (_, field) = text(option, name) else { return }
        let isOption = field.hasPrefix("--")
        throw ConfigurationError(
            field: field,
            reason: "it has another name now",
            remedy: "write \(isOption ? "--\(newName)" : ProcessEnvironment.variable(of: newName))"
        )
    }

    func integer(_ option: String?, _ name: String, default standard: Int) throws(ConfigurationError) -> Int {
        guard let (text, field) = text(option, name) else { return standard }
        guard let value = Int(text) else {
            throw ConfigurationError(
                field: field, reason: "\"\(text)\" is not a whole number", remedy: "give one, such as \(standard)")
        }
        return value
    }

    func duration(_ option: String?, _ name: String, default standard: Duration) throws(ConfigurationError) -> Duration
    {
        guard let (text, field) = text(option, name) else { return standard }
        let units: [(String, Duration)] = [
            ("ms", .milliseconds(1)), ("s", .seconds(1)), ("m", .seconds(60)), ("h", .seconds(3600)),
            ("d", .seconds(86_400)),
        ]
        for (suffix, unit) in units where text.hasSuffix(suffix) {
            guard let count = Int(text.dropLast(suffix.count)), (0...1_000_000_000).contains(count) else { continue }
            return unit * count
        }
        throw ConfigurationError(
            field: field,
            reason: "\"\(text)\" is not a duration",
            remedy: "give a whole number and a unit: 500ms, 90s, 30m, 12h or 7d"
        )
    }

    func size(_ option: String?, _ name: String, default standard: Int) throws(ConfigurationError) -> Int {
        guard let (text, field) = text(option, name) else { return standard }
        let units = [("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30)]
        let (suffix, unit) = units.first { text.lowercased().hasSuffix($0.0) } ?? ("", 1)
        guard let count = Int(text.dropLast(suffix.count)), (0...(1 << 30)).contains(count) else {
            throw ConfigurationError(
                field: field,
                reason: "\"\(text)\" is not a size",
                remedy: "give bytes, or a number with k, m or g: 8m"
            )
        }
        return count * unit
    }

    func choice<Value>(
        _ option: String?,
        _ name: String,
        _ values: KeyValuePairs<String, Value>,
        default standard: Value
    ) throws(ConfigurationError) -> Value {
        guard let (text, field) = text(option, name) else { return standard }
        guard let match = values.first(where: { $0.key == text.lowercased() }) else {
            throw ConfigurationError(
                field: field,
                reason: "\"\(text)\" is not known",
                remedy: "give one of " + values.map(\.key).joined(separator: ", ")
            )
        }
        return match.value
    }
}

extension Substring {
    fileprivate var trimmingBlanks: String {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
