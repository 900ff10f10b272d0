public import GalletaPlatform

/// An object of any class, known or not: its class's name and its members as they were written.
public struct PHPObject: Hashable, Sendable {
    /// Who may see a member in PHP.
    public enum Visibility: Hashable, Sendable {
        /// Of everybody.
        case `public`
        /// Of the object's class and of those derived from it.
        case protected
        /// Of the class with this name.
        case `private`(ByteString)
    }

    /// The name of the class, with its namespace: `App\User`.
    public var className: ByteString
    /// The members in the order in which they were written. A name has a prefix for a protected member (`\0*\0`) and
    /// for a private one (`\0Class\0`); members of a class with `__serialize` may have numbers.
    public var members: PHPArray

    /// - Parameters:
    ///   - className: The name of the class, with its namespace.
    ///   - members: The members, with their names as they are written.
    public init(className: ByteString, members: PHPArray = PHPArray()) {
        self.className = className
        self.members = members
    }

    /// The value of the first member of this name, whoever may see it; nil when there is none.
    public subscript(name: ByteString) -> PHPValue? {
        members.elements.first { Self.name(of: $0.key).name == name }?.value
    }

    /// A member's name as it stands in PHP's source, and who may see it.
    public static func name(of member: PHPKey) -> (name: ByteString, visibility: Visibility) {
        guard case .string(let text) = member else { return (member.text, .public) }
        return text.withUnsafeBytes { bytes in
            guard bytes.count > 2, bytes[0] == 0, let end = bytes.dropFirst().firstIndex(of: 0) else {
                return (text, .public)
            }
            let scope = ByteString(bytes: bytes[1..<end])
            return (ByteString(bytes: bytes[(end + 1)...]), scope == "*" ? .protected : .private(scope))
        }
    }
}

/// A case of an enum of PHP. There is one object for each: two of the same names are the same.
public struct PHPEnumCase: Hashable, Sendable {
    /// The name of the enum, with its namespace.
    public var className: ByteString
    /// The name of the case.
    public var name: ByteString

    /// - Parameters:
    ///   - className: The name of the enum, with its namespace.
    ///   - name: The name of the case.
    public init(className: ByteString, name: ByteString) {
        self.className = className
        self.name = name
    }
}

/// An object of a class with PHP's interface `Serializable`, in bytes that only that class can read. Is never written
/// anew.
public struct PHPCustomObject: Hashable, Sendable {
    /// The name of the class, with its namespace.
    public let className: ByteString
    /// What the class wrote.
    public let payload: [UInt8]
}
