internal import GalletaPlatform

/// How values stand in bytes that PHP wrote: the names are those of PHP's setting `session.serialize_handler`.
public struct PHPFormat: Hashable, Sendable {
    enum Code: Hashable {
        case php, phpBinary, phpSerialize, serialize, igbinary, msgpack
    }

    let code: Code

    /// PHP's default: `name|value` after each other. A name has no `|` and is no whole number.
    public static let php = PHPFormat(code: .php)
    /// A byte with the name's length, the name, the value, after each other. A name has at most 127 bytes.
    public static let phpBinary = PHPFormat(code: .phpBinary)
    /// One array as `serialize()` writes it, whose keys are the names.
    public static let phpSerialize = PHPFormat(code: .phpSerialize)
    /// What `serialize()` writes: any value. If it is an array, its keys are the names.
    public static let serialize = PHPFormat(code: .serialize)
    /// The extension igbinary's, version 2. Is read, never written.
    public static let igbinary = PHPFormat(code: .igbinary)
    /// The extension msgpack's. Is recognized, to be refused by name.
    public static let msgpack = PHPFormat(code: .msgpack)

    /// The format that the first bytes tell: igbinary or msgpack; nil for the others, which have nothing of their own.
    ///
    /// A session in the format `php` may have a first name in some old encoding that begins as msgpack does: ask only
    /// about bytes that could not be read.
    public static func recognized(in bytes: some Collection<UInt8>) -> PHPFormat? {
        if bytes.starts(with: [0, 0, 0, 2]) { return .igbinary }
        switch bytes.first {
        case .some(0x80...0x8F), 0xDE, 0xDF: return .msgpack
        default: return nil
        }
    }

    /// Whether all values stand in one array.
    var isOneValue: Bool { code == .phpSerialize || code == .serialize || code == .igbinary }

    /// Whether PHP keeps a value of that name in this format.
    public func canName(_ name: ByteString) -> Bool { objection(to: name) == nil }

    /// Why PHP would not keep a value of that name; nil if it would.
    func objection(to name: ByteString) -> StaticString? {
        name.withUnsafeBytes { name in
            switch code {
            case .php where name.contains(UInt8(ascii: "|")):
                "a name with | makes PHP store an empty session: choose another name"
            case .phpBinary where name.count > 127: "PHP drops a name of more than 127 bytes: choose a shorter one"
            case .php where PHPKey.number(in: name) != nil, .phpBinary where PHPKey.number(in: name) != nil:
                "PHP skips a name that is a whole number: choose another name"
            default: nil
            }
        }
    }
}

extension PHPFormat: CustomStringConvertible {
    /// The name as in PHP's settings.
    public var description: String {
        switch code {
        case .php: "php"
        case .phpBinary: "php_binary"
        case .phpSerialize: "php_serialize"
        case .serialize: "serialize"
        case .igbinary: "igbinary"
        case .msgpack: "msgpack"
        }
    }
}
