internal import Glibc

/// Text that names something: a user, a session's key, a form's field, a segment of a path.
///
/// Two are equal when their bytes are. Swift's `String` takes canonically equivalent texts for one ("é" as one scalar and
/// as two), while the files, web servers and languages around us tell them apart: what one side refuses, the other would
/// let pass. Any bytes are allowed, since other languages name things in encodings of their own.
///
///     let name: ByteString = "jos\u{e9}"
///     name == ByteString("jose\u{301}")    // false
///     name.string                          // for people to read
///
/// Order and hash are those of the bytes. A literal, a `String` and bytes make one; interpolated into text it reads as
/// UTF-8, with what is invalid replaced by U+FFFD.
///
/// Cost: valid UTF-8 is held as the `String` that it came as, so up to 15 bytes need no allocation.
public struct ByteString: Sendable {
    @usableFromInline
    enum Storage: Sendable {
        case text(String)
        /// Never valid UTF-8: each sequence of bytes has one form only.
        case bytes([UInt8])
    }

    @usableFromInline
    let storage: Storage

    /// The UTF-8 of `text`.
    public init(_ text: String) {
        // A contiguous copy is made here, once, and not at each comparison.
        var text = text
        text.makeContiguousUTF8()
        storage = .text(text)
    }

    /// The UTF-8 of `text`.
    public init(_ text: Substring) {
        self.init(String(text))
    }

    /// These bytes, whatever they are.
    public init(bytes: some Collection<UInt8>) {
        // Without a copy where they stand together; and one compiled form serves all callers.
        self =
            bytes.withContiguousStorageIfAvailable { ByteString(bytes: UnsafeRawBufferPointer($0)) }
            ?? Array(bytes).withUnsafeBytes { ByteString(bytes: $0) }
    }

    /// These bytes, whatever they are.
    public init(bytes: UnsafeRawBufferPointer) {
        if let text = String(utf8: bytes) {
            storage = .text(text)
        } else {
            storage = .bytes(Array(bytes))
        }
    }

    /// The text; what is not UTF-8 is replaced by U+FFFD. For people to read, not for comparisons.
    public var string: String {
        switch storage {
        case .text(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        }
    }

    /// The text; nil when the bytes are not UTF-8.
    public var validString: String? {
        if case .text(let text) = storage { text } else { nil }
    }

    /// The bytes.
    public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// The number of bytes.
    public var count: Int {
        switch storage {
        case .text(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        }
    }

    /// True when there is no byte.
    public var isEmpty: Bool { count == 0 }

    /// Calls `body` with the bytes, which are valid during the call only.
    @inlinable
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        switch storage {
        case .text(var text): try text.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
        case .bytes(let bytes): try bytes.withUnsafeBytes(body)
        }
    }
}

extension ByteString: Hashable, Comparable {
    /// True for the same bytes.
    public static func == (left: ByteString, right: ByteString) -> Bool {
        left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                guard left.count == right.count else { return false }
                guard let own = left.baseAddress, let others = right.baseAddress else { return true }
                return memcmp(own, others, left.count) == 0
            }
        }
    }

    /// Compares byte by byte.
    public static func < (left: ByteString, right: ByteString) -> Bool {
        left.withUnsafeBytes { left in right.withUnsafeBytes { left.lexicographicallyPrecedes($0) } }
    }

    /// Feeds the bytes.
    public func hash(into hasher: inout Hasher) {
        withUnsafeBytes {
            hasher.combine($0.count)
            hasher.combine(bytes: $0)
        }
    }
}

extension ByteString: ExpressibleByStringInterpolation {
    /// The UTF-8 of the literal.
    public init(stringLiteral text: String) {
        self.init(text)
    }
}

extension ByteString: CustomStringConvertible, CustomDebugStringConvertible, LosslessStringConvertible {
    /// The text, as ``string``.
    public var description: String { string }

    /// The text in quotes, escaped.
    public var debugDescription: String { string.debugDescription }
}

extension ByteString: Codable {
    /// Text where the decoder has text, else bytes.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self.init(text)
        } else {
            self.init(bytes: try container.decode([UInt8].self))
        }
    }

    /// As text, for people and other programs to read; what is not UTF-8 as bytes.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch storage {
        case .text(let text): try container.encode(text)
        case .bytes(let bytes): try container.encode(bytes)
        }
    }
}
