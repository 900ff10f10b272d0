import TestSupport

/// The users of the soak and their password file, which outlives every restart.
struct Users {
    let file: String
    private let names: [String]

    init(_ count: Int, in folder: TemporaryFolder) throws {
        file = folder.file("users")
        names = (0..<count).map { "user\($0)" }
        for name in names {
            let create = name == names.first ? ["-c"] : []
            let arguments = create + ["-bB", "-C", "4", file, name, Self.password(of: name)]
            let made = try ChildProcess.run("htpasswd", arguments)
            guard made.code == 0 else { throw TestFailure(description: made.output) }
        }
    }

    /// One for each thread: an answer that was meant for another shows.
    subscript(number: Int) -> (name: String, password: String) {
        let name = names[number % names.count]
        return (name, Self.password(of: name))
    }

    private static func password(of name: String) -> String { "secret & word of \(name)" }
}
