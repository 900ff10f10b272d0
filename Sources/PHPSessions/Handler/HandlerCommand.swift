internal import GalletaPlatform
internal import RESP

/// A command of those that PHP's redis handler sends to keep sessions (phpredis 5.3.7, and 6); there are no others.
enum HandlerCommand: Equatable {
    case select(Int64)
    case authenticate(password: [UInt8])
    case ping
    /// By it the handler sees whether a connection that it has kept is alive.
    case echo([UInt8])
    case quit
    /// Whether there is such a session. nil is an id that PHP would not make.
    case exists(IDDigest?)
    /// With a lifetime it is given that, too.
    case read(IDDigest?, lifetime: Duration?)
    /// The name that a lock's holder has given.
    case readLock(IDDigest?)
    case write(IDDigest, [UInt8], lifetime: Duration)
    case touch(IDDigest?, lifetime: Duration)
    case remove(IDDigest?)
    /// Waits until it is free.
    case lock(IDDigest, token: [UInt8], lifetime: Duration?)
    /// Of the script that compares and deletes.
    case unlock(IDDigest, token: [UInt8])

    /// What the handler runs to give a lock back, and its SHA-1.
    static let unlockScript =
        #"if redis.call("get",KEYS[1]) == ARGV[1] then return redis.call("del",KEYS[1]) else return 0 end"#
    static let unlockDigest = "b70c2384248f88e6b75b9f89241a180f856ad852"

    /// Longer is no time for a session; the clock would pass its end.
    private static let longestLifetime: Int64 = 3_650 * 86_400

    /// - Parameters:
    ///   - words: The command's name, in any case, and its arguments.
    ///   - prefix: What stands in front of each id.
    /// - Throws: What to say to whoever has sent it.
    init(_ words: [[UInt8]], prefix: [UInt8]) throws(HandlerRefusal) {
        let name = Self.word(words[0])
        let arguments = words.dropFirst()
        func expect(_ counts: ClosedRange<Int>) throws(HandlerRefusal) {
            guard counts.contains(arguments.count) else {
                throw HandlerRefusal("wrong number of arguments for '\(name)'")
            }
        }
        func key(_ place: Int) throws(HandlerRefusal) -> Key { try Key(words[place], prefix: prefix) }
        switch name {
        case "PING":
            try expect(0...0)
            self = .ping
        case "ECHO":
            try expect(1...1)
            guard words[1].count <= 1_024 else { throw HandlerRefusal("an echo has at most 1024 bytes") }
            self = .echo(words[1])
        case "QUIT":
            self = .quit
        case "SELECT":
            try expect(1...1)
            self = .select(try Self.number(words[1], 0...Int64(Int32.max)))
        case "AUTH":
            try expect(1...2)
            self = .authenticate(password: words[words.count - 1])
        case "EXISTS":
            try expect(1...1)
            self = .exists(try key(1).session())
        case "GET":
            try expect(1...1)
            switch try key(1) {
            case .session(let digest): self = .read(digest, lifetime: nil)
            case .lock(let digest): self = .readLock(digest)
            }
        case "GETEX":
            // `redis.session.early_refresh` of phpredis 6.
            try expect(3...3)
            guard Self.word(words[2]) == "EX" else { throw HandlerRefusal("syntax error") }
            self = .read(try key(1).session(), lifetime: .seconds(try Self.number(words[3], 1...Self.longestLifetime)))
        case "SETEX":
            try expect(3...3)
            let lifetime = try Self.number(words[2], 1...Self.longestLifetime)
            self = .write(try key(1).known(), words[3], lifetime: .seconds(lifetime))
        case "EXPIRE":
            try expect(2...2)
            self = .touch(
                try key(1).session(), lifetime: .seconds(try Self.number(words[2], 1...Self.longestLifetime)))
        case "DEL":
            try expect(1...1)
            self = .remove(try key(1).session())
        case "SET":
            try expect(2...5)
            self = try Self.lock(words, key(1))
        case "DELIFEQ":
            // `redis.session.lock_release_cmd` of phpredis 6.
            try expect(2...2)
            self = .unlock(try key(1).lock(), token: words[2])
        case "DELEX":
            try expect(3...3)
            guard Self.word(words[2]) == "IFEQ" else { throw HandlerRefusal("syntax error") }
            self = .unlock(try key(1).lock(), token: words[3])
        case "EVALSHA", "EVAL":
            try expect(2...4)
            let isKnown = words[1].elementsEqual((name == "EVAL" ? Self.unlockScript : Self.unlockDigest).utf8)
            guard isKnown, arguments.count == 4, words[2] == [UInt8(ascii: "1")] else {
                throw name == "EVAL"
                    ? HandlerRefusal("this script is not the one that gives a lock back")
                    : HandlerRefusal("No matching script. Please use EVAL.", code: "NOSCRIPT")
            }
            self = .unlock(try key(3).lock(), token: words[4])
        default:
            throw HandlerRefusal("unknown command '\(name)': it is not one of the commands that keep PHP's sessions")
        }
    }

    /// A name or an option, which are the same in any case.
    private static func word(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix(32), as: UTF8.self).uppercased()
    }

    /// `SET key_LOCK token NX [PX milliseconds | EX seconds]`
    private static func lock(_ words: [[UInt8]], _ key: Key) throws(HandlerRefusal) -> HandlerCommand {
        var (isNew, lifetime) = (false, nil as Duration?)
        var options = words.dropFirst(3).map(word)[...]
        while let option = options.popFirst() {
            switch (option, options.first) {
            case ("NX", _): isNew = true
            case ("PX", let text?), ("EX", let text?):
                options.removeFirst()
                let count = try number(Array(text.utf8), 1...longestLifetime * 1_000)
                lifetime = option == "PX" ? .milliseconds(count) : .seconds(min(count, longestLifetime))
            default: throw HandlerRefusal("syntax error")
            }
        }
        guard isNew else { throw HandlerRefusal("SET without NX is not one of the commands that keep PHP's sessions") }
        return .lock(try key.lock(), token: words[2], lifetime: lifetime)
    }

    private static func number(_ bytes: [UInt8], _ range: ClosedRange<Int64>) throws(HandlerRefusal) -> Int64 {
        guard let number = Int64(String(decoding: bytes.prefix(20), as: UTF8.self)), range.contains(number) else {
            throw HandlerRefusal("value is not an integer or out of range")
        }
        return number
    }

    /// What a key names.
    private enum Key {
        /// nil: nothing that could be there.
        case session(IDDigest?)
        case lock(IDDigest?)

        private static let lockSuffix = Array("_LOCK".utf8)

        init(_ bytes: [UInt8], prefix: [UInt8]) throws(HandlerRefusal) {
            guard bytes.starts(with: prefix) else {
                throw HandlerRefusal(
                    "a key does not begin with \(String(decoding: prefix, as: UTF8.self)): "
                        + "give prefix= in session.save_path and to galleta alike")
            }
            let isLock = bytes.count >= prefix.count + Self.lockSuffix.count && bytes.suffix(5) == Self.lockSuffix[...]
            let id = PHPSessionID(ByteString(bytes: bytes[prefix.count..<(bytes.count - (isLock ? 5 : 0))]))
            self = isLock ? .lock(id.map(IDDigest.init)) : .session(id.map(IDDigest.init))
        }

        func session() throws(HandlerRefusal) -> IDDigest? {
            guard case .session(let digest) = self else { throw HandlerRefusal("the key is a lock's") }
            return digest
        }

        func known() throws(HandlerRefusal) -> IDDigest {
            guard let digest = try session() else { throw Self.unknown }
            return digest
        }

        func lock() throws(HandlerRefusal) -> IDDigest {
            guard case .lock(let digest) = self else { throw HandlerRefusal("the key is no lock's") }
            guard let digest else { throw Self.unknown }
            return digest
        }

        private static let unknown = HandlerRefusal("a session's id has 1 to 256 letters, digits, commas and hyphens")
    }
}

/// An answer that says why there is none.
struct HandlerRefusal: Error, Equatable {
    let reply: RESPErrorReply

    init(_ reason: String, code: String = "ERR") {
        reply = RESPErrorReply("\(code) \(reason)")
    }
}
