/// A password file that cannot be used: where, why, and what to do about it.
struct HtpasswdError: Error, CustomStringConvertible {
    let description: String

    init(_ path: String, line: Int? = nil, _ reason: String, remedy: String) {
        description = "--htpasswd \(path)\(line.map { ", line \($0)" } ?? ""): \(reason); \(remedy)"
    }
}
