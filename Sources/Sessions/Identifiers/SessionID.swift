/// The name of a session, which only the visitor's browser and the server know: 256 random bits, or the text of another
/// program's making.
///
/// Who knows an id *is* the visitor. So an id never prints itself (`description` is redacted), and a provider whose
/// store outlives the process must keep a digest (SHA-256) of `bytes` in place of the id.
///
/// The text form of 256 bits, in the cookie, is base64url without padding: exactly 43 characters of `[A-Za-z0-9_-]`.
/// A foreign id, PHP's, is its own text. Which of the two a store has is its provider's affair, see ``SessionIDFormat``;
/// an id of the one kind never equals one of the other.
public struct SessionID: Hashable, Sendable {
    /// The number of characters of the text form of 256 bits.
    public static let encodedCount = 43

    /// The bits; zero for a foreign id.
    package let words: SessionIDWords
    private let foreign: ForeignSessionID?

    package init(words: SessionIDWords) {
        self.words = words
        foreign = nil
    }

    /// A new id of 256 bits from the kernel's generator (`getentropy`). Cost: about 400 ns.
    public static func random() -> SessionID {
        let words = SessionIDWords { bytes in
            Entropy.fill(bytes)
            return true
        }
        return SessionID(words: words!)
    }

    /// The id of 256 bits whose text is `text`; nil unless it is the one canonical form of 32 bytes.
    ///
    /// - Parameter text: The bytes of the cookie's value, as they came.
    public init?(encoded text: UnsafeRawBufferPointer) {
        guard text.count == Self.encodedCount,
            let words = SessionIDWords(filledBy: { Base64URL.decode(text, into: $0) })
        else { return nil }
        self.init(words: words)
    }

    /// The id of 256 bits whose text is `text`; nil unless it is the one canonical form of 32 bytes.
    public init?(_ text: String) {
        var text = text
        let id = text.withUTF8 { SessionID(encoded: UnsafeRawBufferPointer($0)) }
        guard let id else { return nil }
        self = id
    }

    /// The id of these 32 bytes; nil for any other count.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        let words = SessionIDWords { target in
            target.copyBytes(from: bytes)
            return true
        }
        self.init(words: words!)
    }

    /// An id of another program's making: PHP's session ids, 22 to 256 characters of `[A-Za-z0-9,-]`.
    ///
    /// Nil for any other text. Shorter ones could be guessed, and other characters could lead out of a folder.
    public init?(foreign text: some Collection<UInt8>) {
        guard let foreign = ForeignSessionID(text) else { return nil }
        words = .zero
        self.foreign = foreign
    }

    /// True for an id of another program's making.
    public var isForeign: Bool { foreign != nil }

    /// Calls `body` with the 32 bytes, or the text of a foreign id, without a copy on the heap.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        guard let foreign else { return try words.withBytes(body) }
        return try foreign.text.withUnsafeBytes(body)
    }

    /// The 32 bytes, or the text of a foreign id: what a provider digests for its key.
    public var bytes: [UInt8] {
        withBytes { Array($0) }
    }

    /// The text form, 43 characters, or as many as a foreign id has. A secret: for the cookie only.
    public var encoded: String {
        if let foreign { return String(decoding: foreign.text, as: UTF8.self) }
        return String(unsafeUninitializedCapacity: Self.encodedCount) { target in
            words.withBytes { Base64URL.encode($0, into: UnsafeMutableRawBufferPointer(target)) }
            return Self.encodedCount
        }
    }

    /// True for the same 256 bits, or the same foreign text. The time taken tells no more than the texts' lengths.
    public static func == (left: SessionID, right: SessionID) -> Bool {
        guard left.words == right.words else { return false }
        switch (left.foreign, right.foreign) {
        case (nil, nil): return true
        case (let left?, let right?): return left.isSame(as: right)
        default: return false
        }
    }

    /// Feeds one of the words, or a foreign id's text.
    public func hash(into hasher: inout Hasher) {
        if let foreign { hasher.combine(foreign.text) } else { hasher.combine(words) }
    }
}

/// The text of a foreign id, on the heap, so that an id of ours has no more than its words to carry.
private final class ForeignSessionID: Sendable {
    let text: [UInt8]

    init?(_ text: some Collection<UInt8>) {
        guard (22...256).contains(text.count), text.allSatisfy(Self.isAllowed) else { return nil }
        self.text = Array(text)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2C, 0x2D: true
        default: false
        }
    }

    func isSame(as other: ForeignSessionID) -> Bool {
        guard text.count == other.text.count else { return false }
        var difference: UInt8 = 0
        for position in text.indices { difference |= text[position] ^ other.text[position] }
        return difference == 0
    }
}

extension SessionID: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Always `SessionID(redacted)`: an id in a log is a way into the session.
    public var description: String { "SessionID(redacted)" }

    /// Always `SessionID(redacted)`.
    public var debugDescription: String { description }

    /// No children: `dump` shows nothing either.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
