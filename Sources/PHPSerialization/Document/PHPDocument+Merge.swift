internal import GalletaPlatform

extension PHPDocument {
    /// Makes the changes that lead from `base` to `mine` in `theirs`: what others wrote under other names since `base`
    /// was read is kept. A name that both sides changed gets mine.
    ///
    /// Only names whose values share nothing with other names can be changed or removed so. Others stay as `theirs` has
    /// them, and must be the same in `base` and `mine`.
    ///
    /// - Parameters:
    ///   - mine: What is to be written.
    ///   - base: What was read before the changes.
    ///   - theirs: What is there now.
    ///   - format: The format of all three.
    ///   - limits: What each may cost at most.
    /// - Returns: The bytes to be written. If nothing was changed these are `theirs`, if nobody else wrote, `mine`.
    /// - Throws: With the code `change` when it cannot be done: let the last write win. Else when one of the three
    ///   cannot be read, or the result not be written.
    public static func merged(
        _ mine: [UInt8], since base: [UInt8], into theirs: [UInt8], format: PHPFormat, limits: PHPLimits = PHPLimits()
    ) throws(PHPSerializationError) -> [UInt8] {
        if mine == base || mine == theirs { return theirs }
        if theirs == base { return mine }
        let base = try NamedTexts(PHPDocument(base, format: format, limits: limits))
        let mine = try NamedTexts(PHPDocument(mine, format: format, limits: limits))
        var result = try PHPDocument(theirs, format: format, limits: limits)
        let theirs = try NamedTexts(result)
        guard try base.sharedText() == mine.sharedText() else {
            throw .refused(.change, "a value that shares something with another name was changed: it cannot be merged")
        }
        for name in base.order where mine.places[name] == nil {
            try theirs.checkAlone(name)
            result.drop(theirs.places[name])
        }
        for name in mine.order {
            guard let text = try mine.text(name) else { continue }
            if let before = try base.text(name), before == text { continue }
            try theirs.checkAlone(name)
            try result.set(name, at: theirs.places[name], text: text)
        }
        result.entries.removeAll { $0.node == Node.none }
        return try result.encoded()
    }

    /// Removes an entry once all others have been found by their places.
    private mutating func drop(_ index: Int?) {
        guard let index else { return }
        entries[index].node = Node.none
        isChanged = true
    }
}

/// The values of a document as texts by themselves.
private struct NamedTexts {
    let document: PHPDocument
    let order: [ByteString]
    let places: [ByteString: Int]
    /// Of each entry, whether its value shares a variable or an object with another's.
    private let isShared: [Bool]

    init(_ document: PHPDocument) throws(PHPSerializationError) {
        if document.customCount > 0 {
            throw .refused(
                .change, "an object whose class has Serializable cannot be merged: only the class can read it")
        }
        self.document = document
        order = document.names
        places = Dictionary(uniqueKeysWithValues: zip(order, order.indices))
        isShared = try Self.shared(document)
    }

    private static func shared(_ document: PHPDocument) throws(PHPSerializationError) -> [Bool] {
        var isShared = [Bool](repeating: false, count: document.entries.count)
        guard document.referenceCount > 0 else { return isShared }
        let nodes = document.nodes
        // The entry of each node: they stand in the same order.
        var owner = [Int](repeating: -1, count: nodes.count)
        for (index, entry) in document.entries.enumerated() {
            for node in Int(entry.node)..<Int(nodes[Int(entry.node)].next) { owner[node] = index }
        }
        for (index, node) in nodes.enumerated() where node.kind == .reference || node.kind == .sameObject {
            let target = Int(node.link)
            // A case of an enum is one and the same everywhere.
            if node.kind == .sameObject, nodes[target].kind == .enumCase { continue }
            guard owner[target] != owner[index] else { continue }
            guard owner[target] >= 0 else {
                throw .refused(.change, "a value shares the array of all names: it cannot be merged")
            }
            isShared[owner[target]] = true
            isShared[owner[index]] = true
        }
        return isShared
    }

    /// The text of a name that shares nothing; nil when there is no such name, or it shares something.
    func text(_ name: ByteString) throws(PHPSerializationError) -> [UInt8]? {
        guard let index = places[name], !isShared[index] else { return nil }
        return try document.text(ofNode: Int(document.entries[index].node))
    }

    /// All that is shared, in one text.
    func sharedText() throws(PHPSerializationError) -> [UInt8] {
        try document.write(capacity: 0) { (writer) throws(PHPSerializationError) in
            for (index, entry) in document.entries.enumerated() where isShared[index] {
                writer.copy(entry.key)
                try writer.write(Int(entry.node))
            }
        }
    }

    func checkAlone(_ name: ByteString) throws(PHPSerializationError) {
        if let index = places[name], isShared[index] {
            throw .refused(.change, "a value shares something with another name by now: it cannot be merged")
        }
    }
}
