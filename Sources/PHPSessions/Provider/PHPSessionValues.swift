internal import GalletaPlatform
internal import PHPSerialization
internal import Sessions

/// What a session of PHP is to handlers, and what their changes are to PHP.
///
/// A top-level name of `$_SESSION` is a key. What PHP and Swift have in common is converted: null, booleans, numbers, text
/// (bytes where it is not UTF-8), lists, arrays with keys. A value in which there is anything else, an object or a reference,
/// is one opaque value, and goes back as it is. What a change does not name stays as PHP wrote it, byte for byte.
struct PHPSessionValues {
    /// Where the library's own values stand in `$_SESSION`: one array under this name.
    static let reservedName: ByteString = "_galleta"
    /// The type name of opaque values.
    static let opaqueType: ByteString = "php"
    /// In the reserved array: in front of keys of the application that PHP's format cannot have as names.
    private static let mark = UInt8(ascii: ":")
    /// In the reserved array: when the session began, in milliseconds since 1970, and its two timeouts, in milliseconds.
    private static let times: ByteString = "times"

    /// What a session that began here says of its lifetime.
    struct Times: Hashable {
        var began: Int64
        var idle: Int64
        var absolute: Int64
    }

    /// The name that holds the user; nil: the reserved array does.
    let userName: ByteString?
    let format: PHPFormat
    let limits: PHPLimits

    // MARK: Out of PHP

    /// The values of a session's bytes, and its times, if it says them.
    func values(_ document: PHPDocument) throws -> (values: SessionValues, times: Times?) {
        var pairs: [(SessionKey, [UInt8])] = []
        var times: Times?
        for (position, (name, value)) in document.valuesWherePossible().enumerated() {
            if name == Self.reservedName {
                if let value { times = reserved(value, into: &pairs) }
                continue
            }
            if name == userName {
                let user = value.flatMap(Self.userText)
                if let user { pairs.append((.user, try SessionValue.name(user).encoded())) }
                // Beside: handlers see it as PHP's pages do.
            }
            // What only PHP understands must not hide the rest.
            let ours =
                value.flatMap { try? Self.sessionValue($0) }
                ?? .opaque(SessionOpaqueValue(typeName: Self.opaqueType, bytes: document.text(at: position)))
            pairs.append((SessionKey(name), try ours.encoded()))
        }
        return (try SessionValues(encodedValues: pairs), times)
    }

    func document(_ bytes: [UInt8]) throws -> PHPDocument {
        try PHPDocument(bytes, format: format, limits: limits)
    }

    /// Whose a session is, by its bytes; nil, too, for bytes that cannot be read.
    func owner(of bytes: [UInt8]) -> SessionOwner? {
        guard let document = try? document(bytes) else { return nil }
        var pairs: [(SessionKey, [UInt8])] = []
        var hasher = Hasher()
        if let reserved = try? document.value(Self.reservedName) {
            hasher.combine(self.reserved(reserved, into: &pairs))
        }
        for (key, value) in pairs where [.stamp, .user].contains(key) { hasher.combine(value) }
        let user: ByteString?
        if let userName {
            user = (try? document.value(userName)).flatMap { $0 }.flatMap(Self.userText)
        } else {
            let value = pairs.first { $0.0 == .user }?.1
            user = value.flatMap { $0.withUnsafeBytes { SessionValue(encoded: $0)?.name } }
        }
        return user.map { SessionOwner($0, mark: hasher.finalize()) }
    }

    /// The library's own values are kept in its own encoding: PHP only carries them.
    private func reserved(_ value: PHPValue, into pairs: inout [(SessionKey, [UInt8])]) -> Times? {
        var times: Times?
        for element in value.array?.elements ?? [] {
            let name = element.key.text
            if name == Self.times {
                let numbers = element.value.list?.compactMap(\.int).map(Int64.init) ?? []
                if numbers.count == 3 { times = Times(began: numbers[0], idle: numbers[1], absolute: numbers[2]) }
            } else if !(name == SessionKey.user.name && userName != nil), let bytes = element.value.bytes,
                bytes.withUnsafeBytes({ SessionValue(encoded: $0) }) != nil
            {
                let isOurs = name.bytes.first != Self.mark
                pairs.append((isOurs ? SessionKey(name, isReserved: true) : SessionKey(name.withoutFirst), bytes))
            }
        }
        return times
    }

    /// What is false to PHP is nobody: sites keep 0 for their guests.
    private static func userText(_ value: PHPValue) -> ByteString? {
        switch value {
        case .string(let text): text.isEmpty || text == "0" ? nil : text
        case .int(let number): number == 0 ? nil : ByteString("\(number)")
        default: nil
        }
    }

    /// The value for handlers; opaque if there is anything in it that only PHP understands.
    static func sessionValue(_ value: PHPValue) throws -> SessionValue {
        if let plain = plain(value, depth: 0) { return plain }
        return .opaque(SessionOpaqueValue(typeName: opaqueType, bytes: try value.serialized()))
    }

    private static func plain(_ value: PHPValue, depth: Int) -> SessionValue? {
        guard depth < SessionValue.maximumDepth else { return nil }
        switch value {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .int(let value): return .int(Int64(value))
        case .double(let value): return .double(value)
        case .string(let value): return .name(value)
        case .array(let array):
            if let list = array.list {
                var elements: [SessionValue] = []
                for element in list {
                    guard let plain = plain(element, depth: depth + 1) else { return nil }
                    elements.append(plain)
                }
                return .array(elements)
            }
            var members: [(ByteString, SessionValue)] = []
            for element in array.elements {
                guard let plain = plain(element.value, depth: depth + 1) else { return nil }
                members.append((element.key.text, plain))
            }
            return .object(SessionObject(members))
        case .object, .enumCase, .custom, .reference, .sameObject: return nil
        }
    }

    // MARK: Into PHP

    /// Makes the changes in a document; what they do not name stays.
    func apply(_ changes: [(SessionKey, SessionValue?)], to document: inout PHPDocument) throws {
        var reserved = try document.value(Self.reservedName)?.array ?? PHPArray()
        let before = reserved
        for (key, value) in changes {
            if key == .user, let userName {
                if let user = value?.name {
                    try document.set(userName, to: .string(user))
                } else {
                    try document.remove(userName)
                }
            } else if !key.isReserved, !fits(key.name) {
                let name = ByteString(bytes: [Self.mark] + key.name.bytes)
                reserved[PHPKey(name)] = try value.map { PHPValue(bytes: try $0.encoded()) }
            } else if key.isReserved {
                reserved[PHPKey(key.name)] = try value.map { PHPValue(bytes: try $0.encoded()) }
            } else if let value {
                let new = try Self.phpValue(value)
                let old = try? document.value(key.name)
                try document.set(key.name, to: old.map { Self.ordered(new, like: $0) } ?? new)
            } else {
                try document.remove(key.name)
            }
        }
        if reserved != before { try document.set(Self.reservedName, to: .array(reserved)) }
    }

    /// Whether PHP's pages can see a name; others are kept beside.
    private func fits(_ name: ByteString) -> Bool { name != Self.reservedName && format.canName(name) }

    /// Notes a session's times.
    func note(_ times: Times, in document: inout PHPDocument) throws {
        var reserved = try document.value(Self.reservedName)?.array ?? PHPArray()
        reserved[PHPKey(Self.times)] = .array(
            PHPArray(list: [.int(Int(times.began)), .int(Int(times.idle)), .int(Int(times.absolute))]))
        try document.set(Self.reservedName, to: .array(reserved))
    }

    /// The elements of arrays in the order in which PHP has them, which is part of an array there; what is new comes at the end.
    private static func ordered(_ new: PHPValue, like old: PHPValue) -> PHPValue {
        guard case .array(let array) = new, case .array(let before) = old, new != old else { return new }
        let places = Dictionary(before.elements.enumerated().map { ($1.key, $0) }) { first, _ in first }
        var elements = array.elements.map { element in
            guard let place = places[element.key] else { return element }
            return PHPArray.Element(key: element.key, value: ordered(element.value, like: before.elements[place].value))
        }
        // A list is in an order of its own.
        if array.list == nil {
            let (known, others) = (elements.filter { places[$0.key] != nil }, elements.filter { places[$0.key] == nil })
            elements = known.sorted { places[$0.key]! < places[$1.key]! } + others
        }
        return .array(PHPArray(elements))
    }

    static func phpValue(_ value: SessionValue) throws -> PHPValue {
        switch value {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .int(let value): return .int(Int(value))
        case .double(let value): return .double(value)
        case .string(let value): return .string(ByteString(value))
        case .bytes(let value): return .string(ByteString(bytes: value))
        case .array(let values): return .array(PHPArray(list: try values.map(phpValue)))
        case .object(let members):
            var array = PHPArray()
            var places: [PHPKey: Int] = [:]
            for (key, value) in members {
                // "1" and 1 are one key to PHP.
                let key = PHPKey(key)
                let element = PHPArray.Element(key: key, value: try phpValue(value))
                if let place = places[key] {
                    array.elements[place] = element
                } else {
                    places[key] = array.elements.count
                    array.elements.append(element)
                }
            }
            return .array(array)
        case .opaque(let value):
            guard value.typeName == opaqueType else {
                throw SessionError(.notEncodable, "PHP cannot hold a value of type \(value.typeName)")
            }
            return try PHPValue(serialized: value.bytes)
        }
    }
}

extension ByteString {
    fileprivate var withoutFirst: ByteString { ByteString(bytes: bytes.dropFirst()) }
}
