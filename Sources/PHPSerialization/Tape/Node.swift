/// A value in a document's text. All nodes of a document lie in one array, each before those that are inside it: a node
/// costs no allocation and no reference count.
///
/// A key has no node: its token begins where the value before it ends (or the container's header), and ends where its
/// value begins.
struct Node {
    enum Kind: UInt8 {
        case null, bool, int, double, string
        /// `S:`, with bytes as `\` and two hex digits.
        case escapedString
        case array, object
        /// `C:`, whose payload only its class can read.
        case custom
        case enumCase
        /// `R:`, the same variable as another.
        case reference
        /// `r:`, the same object as another.
        case sameObject
    }

    /// Stands for a node that cannot be told.
    static let none = UInt32.max

    /// The first byte of the text, and the one after its last.
    var start: UInt32
    var end: UInt32
    /// The first node that is not inside this one.
    var next: UInt32
    /// Of an array or object: the position after its header. Of a reference: the node that it names, or `none` after a
    /// `C:`. Else nothing.
    var link: UInt32
    /// A digest of the key, to tell keys apart: a small whole number itself, else with the highest bit set.
    var key: UInt32
    var kind: Kind
    /// A `R:` names this node: it is a variable that others share.
    var isReferenced = false
    /// A `r:` names this object.
    var isNamed = false

    init(_ kind: Kind, start: Int, end: Int, next: Int, link: UInt32 = 0, key: UInt32) {
        self.kind = kind
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
        self.next = UInt32(truncatingIfNeeded: next)
        self.link = link
        self.key = key
    }

    var isContainer: Bool { kind == .array || kind == .object }
    var range: Range<Int> { Int(start)..<Int(end) }
}
