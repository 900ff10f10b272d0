package import RESP

/// Why a call to Redis brought no result.
package struct RedisError: Error, Sendable {
    /// What went wrong.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        fileprivate enum Kind: String {
            case timeout, connection, `protocol`, configuration, notNow, outOfMemory, reply
        }

        fileprivate let kind: Kind

        /// The call's deadline has passed.
        package static let timeout = Code(kind: .timeout)
        /// The connection was refused, reset or closed.
        package static let connection = Code(kind: .connection)
        /// The peer does not speak RESP, sent a reply nobody had asked for, or one over the limit.
        package static let `protocol` = Code(kind: .protocol)
        /// A password, a permission or a certificate is wrong: no retry helps, somebody has to mend it.
        package static let configuration = Code(kind: .configuration)
        /// The server cannot do it now, perhaps another can: `READONLY`, `LOADING`, `CLUSTERDOWN` and their like.
        package static let notNow = Code(kind: .notNow)
        /// The server is at its `maxmemory`; nothing was written.
        package static let outOfMemory = Code(kind: .outOfMemory)
        /// Another error reply, see ``RedisError/reply``.
        package static let reply = Code(kind: .reply)

        package var description: String { kind.rawValue }
    }

    package internal(set) var code: Code
    /// Who is meant, where it is about one server.
    package private(set) var address: RedisAddress?
    private let text: String
    /// Whether the commands, or some of them, may have been carried out all the same.
    package internal(set) var isOutcomeUnknown = false
    /// The server's own words, where it has answered.
    package internal(set) var reply: RESPErrorReply?
    /// Whether it says something about the server: not when all connections of this process were in use.
    var countsAgainstServer = true

    init(_ code: Code, _ message: String) {
        self.code = code
        text = message
    }

    /// What happened, and with which server, for a log. Holds no password, key or value.
    package var message: String { address.map { "\($0): \(text)" } ?? text }

    /// The same about a server, unless it is about one already.
    func at(_ address: RedisAddress) -> RedisError {
        var error = self
        error.address = error.address ?? address
        return error
    }

    /// The same, after commands that may have been carried out.
    func afterSending(_ isSent: Bool = true) -> RedisError {
        var error = self
        error.isOutcomeUnknown = error.isOutcomeUnknown || isSent
        return error
    }
}

extension RedisError: CustomStringConvertible {
    package var description: String { "redis \(code): \(message)" }
}

extension RedisError {
    /// What an error reply means.
    ///
    /// - Parameter isScript: What it answered; a script may have written before it met the error, unless that is one
    ///   which comes at the first write.
    init(reply: RESPErrorReply, isScript: Bool) {
        let code: Code
        var isOutcomeUnknown = false
        // Most are about this command: others go on.
        var countsAgainstServer = false
        switch reply.code {
        case "NOAUTH", "WRONGPASS", "DENIED":
            code = .configuration
            countsAgainstServer = true
        case "NOPERM":
            code = .configuration
            isOutcomeUnknown = isScript
        case "LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY":
            code = .notNow
            countsAgainstServer = true
        case "READONLY", "TRYAGAIN", "MISCONF", "NOREPLICAS", "MOVED", "ASK", "NOSCRIPT":
            code = .notNow
        case "OOM":
            code = .outOfMemory
        default:
            // The greeting of a server that takes no more clients.
            if reply.text.hasPrefix("ERR max number of clients") || reply.text.hasPrefix("ERR max number of cluster") {
                code = .connection
                countsAgainstServer = true
            } else if reply.text.hasPrefix("ERR The user executing the script can't") {
                // What NOPERM is outside of scripts, but that the command is not named.
                code = .configuration
                isOutcomeUnknown = isScript
            } else {
                code = .reply
                isOutcomeUnknown = isScript
            }
        }
        self.init(code, "the server says \"\(Self.words(of: reply))\"")
        self.isOutcomeUnknown = isOutcomeUnknown
        self.countsAgainstServer = countsAgainstServer
        self.reply = reply
    }

    /// Whether the server has answered, and to this command: a sign of health.
    var isReply: Bool { reply != nil && !countsAgainstServer }

    /// The reply for a log: it repeats the arguments of a command it does not know.
    private static func words(of reply: RESPErrorReply) -> String {
        var text = reply.text[...]
        for index in text.indices where text[index...].hasPrefix(", with args") {
            text = text[..<index]
            break
        }
        return String(decoding: text.utf8.prefix(256).map { $0 < 0x20 || $0 == 0x7f ? 0x3f : $0 }, as: UTF8.self)
    }
}
