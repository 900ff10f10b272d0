/// The 256 bits of an id of ours as four words: comparing and hashing touch no heap memory.
///
/// Four plain words: a SIMD vector would pad whatever holds an id to 32 bytes.
package struct SessionIDWords: Hashable, Sendable {
    package let word0: UInt64
    package let word1: UInt64
    package let word2: UInt64
    package let word3: UInt64

    package init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
        self.word0 = word0
        self.word1 = word1
        self.word2 = word2
        self.word3 = word3
    }

    /// The words of 32 bytes that `fill` writes; nil when it says false.
    @inline(__always)
    package init?(filledBy fill: (UnsafeMutableRawBufferPointer) -> Bool) {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        guard withUnsafeMutableBytes(of: &words, { fill($0) }) else { return nil }
        self.init(words.0, words.1, words.2, words.3)
    }

    /// No session's: the words of an id of another form.
    package static let zero = SessionIDWords(0, 0, 0, 0)

    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withUnsafeBytes(of: (word0, word1, word2, word3)) { try body($0) }
    }

    @inline(__always)
    package static func == (left: SessionIDWords, right: SessionIDWords) -> Bool {
        // Every bit is looked at, whatever differs: the time taken tells nothing.
        (left.word0 ^ right.word0) | (left.word1 ^ right.word1)
            | (left.word2 ^ right.word2) | (left.word3 ^ right.word3) == 0
    }

    package func hash(into hasher: inout Hasher) {
        // The words are random; one carries all the spread that a hash can use.
        hasher.combine(word0)
    }
}
