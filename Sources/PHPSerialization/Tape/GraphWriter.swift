/// Writes values of a document as PHP would: each variable and object in full where it comes first, by number from then
/// on.
///
/// PHP numbers while it writes, and so must whoever changes something: the first of two places may be gone, and its
/// content then belongs to the second. Text between two numbers is copied as it stands.
///
/// Without recursion; each node is written at most once.
struct GraphWriter {
    /// A container that is being written.
    private struct Frame {
        var child: UInt32
        let end: UInt32
        /// Where the text goes on.
        var position: UInt32
        let close: UInt32
    }

    private let text: UnsafeBufferPointer<UInt8>
    private let nodes: UnsafeBufferPointer<Node>
    private let redirects: [UInt32: UInt32]
    private let depthLimit: Int
    /// Of the nodes that are written and named elsewhere.
    private var numbers: [UInt32: Int] = [:]
    private var lastNumber: Int
    /// In how many places a variable is, of what is written. While it is counted nothing is written.
    private var uses: [UInt32: Int] = [:]
    private var isCounting = false
    private var enumCases: [[UInt8]: UInt32] = [:]
    private var frames: [Frame] = []
    private var pending = 0..<0
    private var output: [UInt8] = []

    /// - Parameter lastNumber: The number that was given last: 1 when the values are inside an array.
    init(
        text: UnsafeBufferPointer<UInt8>, nodes: UnsafeBufferPointer<Node>, redirects: [UInt32: UInt32], depth: Int,
        lastNumber: Int, capacity: Int
    ) {
        self.text = text
        self.nodes = nodes
        self.redirects = redirects
        self.lastNumber = lastNumber
        depthLimit = depth
        output.reserveCapacity(capacity)
    }

    /// Does `body` first to count the places of variables, then to write. A variable that is left in one place is a
    /// value like others: PHP's next reader must not take it and an object elsewhere for one variable.
    mutating func counting(
        _ body: (inout GraphWriter) throws(PHPSerializationError) -> Void
    ) throws(PHPSerializationError) {
        var counter = self
        counter.isCounting = true
        try body(&counter)
        uses = counter.uses
        try body(&self)
    }

    /// All that was written.
    consuming func finished() -> [UInt8] {
        flush()
        return output
    }

    /// Appends a part of the document's text as it is.
    @inline(__always)
    mutating func copy(_ range: Range<Int>) {
        if isCounting { return }
        if range.lowerBound == pending.upperBound {
            pending = pending.lowerBound..<range.upperBound
        } else {
            flush()
            pending = range
        }
    }

    /// Appends these bytes.
    mutating func put(_ bytes: some Sequence<UInt8>) {
        if isCounting { return }
        flush()
        output.append(contentsOf: bytes)
    }

    private mutating func flush() {
        output.append(contentsOf: UnsafeBufferPointer(rebasing: text[pending]))
        // No text follows on the end of it.
        pending = text.count..<text.count
    }

    /// Appends the value of a variable.
    mutating func write(_ node: Int) throws(PHPSerializationError) {
        try begin(node)
        while let index = frames.indices.last {
            let child = frames[index].child
            guard child < frames[index].end else {
                copy(Int(frames[index].position)..<Int(frames[index].close))
                frames.removeLast()
                continue
            }
            let next = nodes[Int(child)]
            copy(Int(frames[index].position)..<Int(next.start))
            frames[index].position = next.end
            frames[index].child = next.next
            try begin(Int(child))
        }
    }

    @inline(__always)
    private mutating func begin(_ occurrence: Int) throws(PHPSerializationError) {
        lastNumber += 1
        var variable = occurrence
        if nodes[occurrence].kind == .reference { variable = try followed(occurrence) }
        var isReferenced = nodes[variable].isReferenced
        if isReferenced, let replacement = redirects[UInt32(variable)] {
            // Its own references to itself and those to the variable are the same.
            variable = Int(replacement)
            isReferenced = true
        }
        if isReferenced {
            if isCounting {
                uses[UInt32(variable), default: 0] += 1
            } else {
                isReferenced = uses[UInt32(variable)] != 1
            }
        }
        var content = variable
        if nodes[content].kind == .sameObject { content = try followed(content) }
        if let identity = identity(variable: variable, isReferenced: isReferenced, content: content) {
            if let number = numbers[identity] {
                // References take no number.
                if isReferenced { lastNumber -= 1 }
                if isCounting { return }
                flush()
                output.append(UInt8(ascii: isReferenced ? "R" : "r"))
                output.append(UInt8(ascii: ":"))
                output.append(decimal: number)
                output.append(UInt8(ascii: ";"))
                return
            }
            numbers[identity] = lastNumber
        }
        let node = nodes[content]
        guard node.isContainer, Int(node.next) > content + 1 else { return copy(node.range) }
        guard frames.count < depthLimit else { throw .limit("depth", depthLimit) }
        copy(Int(node.start)..<Int(node.link))
        frames.append(Frame(child: UInt32(content) + 1, end: node.next, position: node.link, close: node.end))
    }

    /// The node that stands for what may be in several places: of an object its own, else that of the variable.
    @inline(__always)
    private mutating func identity(variable: Int, isReferenced: Bool, content: Int) -> UInt32? {
        switch nodes[content].kind {
        case .object, .custom: isReferenced || nodes[content].isNamed ? UInt32(content) : nil
        case .enumCase: UInt32(first(content))
        default: isReferenced ? UInt32(variable) : nil
        }
    }

    private func followed(_ node: Int) throws(PHPSerializationError) -> Int {
        guard nodes[node].link != Node.none else {
            throw .refused(.value, "what a number after an object with Serializable means is known to its class only")
        }
        return Int(nodes[node].link)
    }

    /// The first node of an enum's case: PHP has one object for it.
    private mutating func first(_ node: Int) -> Int {
        let name = Array(text[nodes[node].range])
        if let first = enumCases[name] { return Int(first) }
        enumCases[name] = UInt32(node)
        return node
    }
}
