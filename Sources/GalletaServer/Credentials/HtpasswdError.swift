/// A password file that cannot be used: where, why, and what to do about it. It never holds a hash.
struct HtpasswdError: Error, CustomStringConvertible, Equatable {
    /// Path of the file.
    let path: String
    /// Number of the line, from 1; nil when it is about the whole file.
    let line: Int?
    /// What is wrong.
    let reason: String
    /// What to change.
    let remedy: String

    /// `--htpasswd path, line n: reason; remedy`.
    var description: String {
        "--htpasswd \(path)\(line.map { ", line \($0)" } ?? ""): \(reason); \(remedy)"
    }
}
