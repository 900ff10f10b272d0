/// The name of a session: 256 random bits that only the visitor's browser and the server know.
///
/// Who knows an id *is* the visitor. So an id never prints itself (`description` is redacted), and a provider whose
/// store outlives the process must keep a digest (SHA-256) of `bytes` in place of the id.
///
/// The text form, in the cookie, is base64url without padding: exactly 43 characters of `[A-Za-z0-9_-]`.
/// Held as four words: comparing and hashing touch no heap memory.
public struct SessionID: Hashable, Sendable {
    /// The number of characters of the text form.
    public static let encodedCount = 43

    /// Four plain words: a SIMD vector would pad whatever holds an id to 32 bytes.
    package typealias Words = (UInt64, UInt64, UInt64, UInt64)

    package let word0: UInt64
    package let word1: UInt64
    package let word2: UInt64
    package let word3: UInt64

    package init(words: Words) {
        (word0, word1, word2, word3) = words
    }

    package var words: Words { (word0, word1, word2, word3) }

    /// A new id from the kernel's generator (`getentropy`). Cost: about 400 ns.
    public static func random() -> SessionID {
        var words: Words = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { Entropy.fill($0) }
        return SessionID(words: words)
    }

    /// The id whose text is `text`; nil unless it is the one canonical form of 32 bytes.
    ///
    /// - Parameter text: The bytes of the cookie's value, as they came.
    public init?(encoded text: UnsafeRawBufferPointer) {
        guard text.count == Self.encodedCount else { return nil }
        var words: Words = (0, 0, 0, 0)
        let fits = withUnsafeMutableBytes(of: &words) { Base64URL.decode(text, into: $0) }
        guard fits else { return nil }
        self.init(words: words)
    }

    /// The id whose text is `text`; nil unless it is the one canonical form of 32 bytes.
    public init?(_ text: String) {
        var text = text
        let id = text.withUTF8 { SessionID(encoded: UnsafeRawBufferPointer($0)) }
        guard let id else { return nil }
        self = id
    }

    /// The id of these 32 bytes; nil for any other count.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        var words: Words = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
        self.init(words: words)
    }

    /// Calls `body` with the 32 bytes, without a copy on the heap.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withUnsafeBytes(of: words) { try body($0) }
    }

    /// The 32 bytes: what a provider digests for its key.
    public var bytes: [UInt8] {
        withBytes { Array($0) }
    }

    /// The text form, 43 characters. A secret: for the cookie only.
    public var encoded: String {
        String(unsafeUninitializedCapacity: Self.encodedCount) { target in
            withBytes { Base64URL.encode($0, into: UnsafeMutableRawBufferPointer(target)) }
            return Self.encodedCount
        }
    }

    /// True for the same 256 bits.
    public static func == (left: SessionID, right: SessionID) -> Bool {
        // Every bit is looked at, whatever differs: the time taken tells nothing.
        (left.word0 ^ right.word0) | (left.word1 ^ right.word1)
            | (left.word2 ^ right.word2) | (left.word3 ^ right.word3) == 0
    }

    /// Feeds one of the words.
    public func hash(into hasher: inout Hasher) {
        // The words are random; one carries all the spread that a hash can use.
        hasher.combine(word0)
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
