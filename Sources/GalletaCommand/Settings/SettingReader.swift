public import GalletaPlatform

/// Reads settings: the command line first, then the environment, then the file of `--config`; errors name what was wrong as it
/// was given.
///
/// ```swift
/// @Option(help: "How many parcels a day. (default: 100)")
/// var parcels: String?
///
/// let parcels = try setup.settings.integer(parcels, "parcels", default: 100)  // or GALLETA_PARCELS
/// ```
///
/// A variable that is set and empty counts as not set. What was never asked for is warned of at the start, if its name begins
/// as a setting's.
///
/// For one thread.
public final class SettingReader {
    let environment: ProcessEnvironment
    let prefix: String
    /// The file of settings, if one is named.
    var file: SettingsFile?
    /// How each setting was given, by its name: as an option, a variable, or a line of the file.
    private(set) var fields: [String: String] = [:]
    /// The variables that were asked for, set or not.
    private(set) var known: Set<String> = []

    init(environment: ProcessEnvironment, prefix: String = "GALLETA_") {
        self.environment = environment
        self.prefix = prefix
    }

    /// The variable that stands for an option: `GALLETA_MAX_BODY` for `max-body`.
    public func variable(of option: String) -> String {
        prefix + option.uppercased().replacing("-", with: "_")
    }

    /// The text of a setting, and how it was given: `--name`, the variable, or the line of the file, for an error's field.
    ///
    /// - Parameters:
    ///   - option: What the command line has.
    ///   - name: The option's, without its dashes.
    /// - Returns: Nil if it was not given.
    public func text(_ option: String?, _ name: String) -> (text: String, field: String)? {
        let variable = variable(of: name)
        known.insert(variable)
        let found: (text: String, field: String)
        if let option {
            found = (option, "--\(name)")
        } else if let text = environment[variable] {
            found = (text, variable)
        } else if let file, let text = file.text(of: name), let field = file.field(of: name) {
            found = (text, field)
        } else {
            return nil
        }
        fields[name] = found.field
        return found
    }

    /// As ``text(_:_:)``, for a setting that must be given.
    ///
    /// - Throws: `ConfigurationError` that names option and variable.
    public func require(
        _ option: String?, _ name: String
    ) throws(ConfigurationError) -> (text: String, field: String) {
        if let found = text(option, name) { return found }
        throw ConfigurationError(
            field: "--\(name)", reason: "it is missing", remedy: "give --\(name), or set \(variable(of: name))")
    }

    /// How a setting was given, option, variable or line of the file; the option if it was not. For an error's field.
    public func field(of name: String) -> String {
        fields[name] ?? "--\(name)"
    }

    /// A list: the repeated option, else the variable's values, or the file's, between commas.
    ///
    /// - Parameters:
    ///   - option: What the command line has.
    ///   - name: The option's, without its dashes.
    public func list(_ option: [String], _ name: String) -> [String] {
        known.insert(variable(of: name))
        if !option.isEmpty {
            fields[name] = "--\(name)"
            return option
        }
        guard let value = text(nil, name) else { return [] }
        return value.text.split(separator: ",").map { $0.trimmingBlanks }
    }

    /// Words and where they came from: the file's between blanks, then the variable's, then those of the repeated option.
    ///
    /// - Parameter variable: The variable's name as an option's: there are several in it.
    func words(_ option: [String], _ name: String, variable: String) -> [(text: String, field: String)] {
        let variable = self.variable(of: variable)
        known.insert(variable)
        var words: [(text: String, field: String)] = []
        if let field = file?.field(of: name), let text = file?.text(of: name) {
            words += text.split(whereSeparator: \.isWhitespace).map { (String($0), field) }
        }
        words += (environment[variable] ?? "").split(whereSeparator: \.isWhitespace).map { (String($0), variable) }
        words += option.map { ($0, "--\(name)") }
        if let last = words.last { fields[name] = last.field }
        return words
    }

    /// A switch: the flag, else the variable or the file, `on`, `1`, `off` or `0`.
    ///
    /// - Parameters:
    ///   - option: What the command line has.
    ///   - name: The option's, without its dashes.
    ///   - standard: What counts if it was not given.
    /// - Throws: `ConfigurationError` of the setting as it was given.
    public func flag(_ option: Bool?, _ name: String, default standard: Bool) throws(ConfigurationError) -> Bool {
        known.insert(variable(of: name))
        if let option {
            fields[name] = "--\(name)"
            return option
        }
        return try choice(nil, name, ["on": true, "1": true, "off": false, "0": false], default: standard)
    }

    /// Runs `body`; its configuration error comes out with the setting as it was given in place of the library's property.
    ///
    /// - Parameters:
    ///   - field: As ``text(_:_:)`` and ``field(of:)`` give it.
    ///   - body: What reads the setting's value.
    /// - Throws: What `body` throws, with the field.
    public func naming<Result>(_ field: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as ConfigurationError {
            throw ConfigurationError(field: field, reason: error.reason, remedy: error.remedy)
        }
    }

    /// Refuses a setting that has another name now, whose default would take effect in silence.
    func refuse(_ option: String?, _ name: String, now newName: String) throws(ConfigurationError) {
        guard let (_, field) = text(option, name) else { return }
        let isOption = field.hasPrefix("--")
        let isVariable = field == variable(of: name)
        throw ConfigurationError(
            field: field,
            reason: "it has another name now",
            remedy: "write \(isOption ? "--\(newName)" : isVariable ? variable(of: newName) : newName)"
        )
    }

    /// A whole number.
    ///
    /// - Parameters:
    ///   - option: What the command line has.
    ///   - name: The option's, without its dashes.
    ///   - standard: What counts if it was not given.
    /// - Throws: `ConfigurationError` of the setting as it was given.
    public func integer(_ option: String?, _ name: String, default standard: Int) throws(ConfigurationError) -> Int {
        guard let (text, field) = text(option, name) else { return standard }
        guard let value = Int(text) else {
            throw ConfigurationError(
                field: field, reason: "\"\(text)\" is not a whole number", remedy: "give one, such as \(standard)")
        }
        return value
    }

    /// A duration: a whole number and a unit, as `500ms`, `90s`, `30m`, `12h` or `7d`.
    ///
    /// - Parameters:
    ///   - option: What the command line has.
    ///   - name: The option's, without its dashes.
    ///   - standard: What counts if it was not given.
    /// - Throws: `ConfigurationError` of the setting as it was given.
    public func duration(_ option: String?, _ name: String, default standard: Duration) throws(ConfigurationError)
        -> Duration
    {
        guard let (text, field) = text(option, name) else { return standard }
        return try Self.duration(text, field)
    }

    /// A number in a time, as `600/1m`.
    ///
    /// - Parameters:
    ///   - option: What the command line has.
    ///   - name: The option's, without its dashes.
    ///   - example: For the error's remedy.
    /// - Returns: Nil if it was not given.
    /// - Throws: `ConfigurationError` of the setting as it was given.
    public func rate(_ option: String?, _ name: String, example: String) throws(ConfigurationError)
        -> (count: Int, period: Duration)?
    {
        guard let (text, field) = text(option, name) else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let count = Int(parts[0]) else {
            throw ConfigurationError(
                field: field, reason: "\"\(text)\" is not a number per time", remedy: "write it as \(example)")
        }
        return (count, try Self.duration(parts[1], field))
    }

    /// A duration that is a part of a setting.
    static func duration(_ text: String, _ field: String) throws(ConfigurationError) -> Duration {
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

    /// A size in bytes, or as `64k`, `8m`, `1g`.
    ///
    /// - Parameters:
    ///   - option: What the command line has.
    ///   - name: The option's, without its dashes.
    ///   - standard: What counts if it was not given.
    /// - Throws: `ConfigurationError` of the setting as it was given.
    public func size(_ option: String?, _ name: String, default standard: Int) throws(ConfigurationError) -> Int {
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

    /// One of some words, whatever their case.
    ///
    /// - Parameters:
    ///   - option: What the command line has.
    ///   - name: The option's, without its dashes.
    ///   - values: The words, and what they stand for.
    ///   - standard: What counts if it was not given.
    /// - Throws: `ConfigurationError` of the setting as it was given.
    public func choice<Value>(
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
