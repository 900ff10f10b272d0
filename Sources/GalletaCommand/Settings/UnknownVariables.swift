internal import ArgumentParser
internal import GalletaPlatform

/// Names that look like settings and are none: a misspelt one would leave a default in place in silence. Of variables the
/// program warns, which may be somebody else's; of the file's lines it does not start.
enum UnknownVariables {
    /// Of the package's build and tests; they mean nothing to the executable.
    private static let foreign: Set<String> = [
        "GALLETA_SERVER", "GALLETA_STRICT", "GALLETA_SANITIZED", "GALLETA_FUZZ", "GALLETA_BENCHMARKS",
        "GALLETA_SOAK_SECONDS", "GALLETA_BARE", "GALLETA_PROGRAM",
        "GALLETA_RESTARTS", "GALLETA_UPGRADES", "GALLETA_RELOADS", "GALLETA_REQUESTS",
    ]

    /// The names of the variables of all options, as options: whatever ``ServerOptions`` has, so that none can be forgotten here.
    static let options: [String] = names(of: ServerOptions()).compactMap { name in
        // Several words in one variable, and so its name.
        name == "check-config" ? nil : name == "session-option" ? "session-options" : name
    }

    /// The names of a command's options, as they are on the command line unless it says otherwise.
    static func names(of command: some ParsableArguments) -> [String] {
        Mirror(reflecting: command).children.compactMap { child in
            guard let label = child.label, label.hasPrefix("_") else { return nil }
            return label.dropFirst().map { $0.isUppercase ? "-\($0.lowercased())" : String($0) }.joined()
        }
    }

    /// One line for each variable that begins as a setting's, and is neither one nor was asked for.
    ///
    /// - Parameter command: The program's name.
    static func warnings(_ reader: SettingReader, command: String) -> [String] {
        let known = reader.known.union(options.map(reader.variable)).sorted()
        return reader.environment.names.compactMap { name in
            guard name.hasPrefix(reader.prefix), !foreign.contains(name), !known.contains(name) else { return nil }
            let hint = nearest(to: name, known, reader.prefix).map { "did you mean \($0)?" }
            return "the environment variable \(name) is not known and has no effect; "
                + (hint ?? "\(command) --help names all options")
        }
    }

    /// Refuses a file of settings with a name that is none.
    ///
    /// - Parameters:
    ///   - own: The names of the program's own options.
    ///   - known: Variables of settings that were asked for, beside those that this reader was asked for.
    static func check(
        _ file: SettingsFile, _ reader: SettingReader, own: [String], known: Set<String> = []
    ) throws(ConfigurationError) {
        // What would lead from the file to another one; and the repeated option has its own name here.
        let others: Set = ["config", "session-options"]
        let names = Set(options).subtracting(others).union(["session-option"]).union(own)
        let asked = reader.known.union(known)
        for (name, entry) in file.entries.sorted(by: { $0.value.line < $1.value.line }) {
            let isAsked = !others.contains(name) && asked.contains(reader.variable(of: name))
            guard !names.contains(name), !isAsked else { continue }
            let hint = nearest(to: name, names.sorted(), "").map { "did you mean \($0)?" }
            throw ConfigurationError(
                field: file.field(entry.line), reason: "\(name) is no setting",
                remedy: hint ?? "leave it out; --help names all options")
        }
    }

    /// The known variable that takes the fewest changes; nil if none takes fewer than half of its letters.
    private static func nearest(to name: String, _ known: [String], _ prefix: String) -> String? {
        let word = Array(name.utf8.dropFirst(prefix.utf8.count))
        let ranked = known.map {
            (name: $0, distance: distance(word, Array($0.utf8.dropFirst(prefix.utf8.count))))
        }
        guard let best = ranked.min(by: { $0.distance < $1.distance }), 2 * best.distance < max(word.count, 3) else {
            return nil
        }
        return best.name
    }

    /// Insertions, removals and replacements between two words (Levenshtein).
    private static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
        var row = Array(0...second.count)
        for (i, a) in first.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in second.enumerated() {
                let replaced = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
            }
        }
        return row[second.count]
    }
}
