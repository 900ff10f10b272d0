/// Why bytes are not taken for RESP. The connection they came from is of no more use.
package struct RESPError: Error, Hashable, Sendable, CustomStringConvertible {
    private enum Kind: Hashable {
        case syntax, limit
    }

    private let kind: Kind
    /// What was wrong. Holds nothing of the bytes.
    package let description: String

    /// False: over a limit. True: not the protocol at all.
    package var isSyntax: Bool { kind == .syntax }

    static func syntax(_ what: String) -> RESPError { RESPError(kind: .syntax, description: what) }

    static func limit(_ what: String) -> RESPError { RESPError(kind: .limit, description: "more than \(what)") }
}
