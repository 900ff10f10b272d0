public import struct GalletaPlatform.ByteString

/// Values by key, in order of insertion. Keys are any bytes, and compared as such.
///
/// The order is kept because PHP's arrays have one and because text that comes out the same each time is easy to
/// compare; equality ignores it, as JSON does. Lookup is linear up to 16 keys and hashed beyond; a removal
/// takes a step for each member.
public struct SessionObject: Sendable {
    /// One member.
    public typealias Element = (key: ByteString, value: SessionValue)

    private static let indexThreshold = 16

    private var elements: [Element] = []
    /// Position by key; only filled beyond the threshold.
    private var positions: [ByteString: Int] = [:]

    /// An object without members.
    public init() {}

    /// These members in this order; of equal keys the last value counts, at the place of the first.
    public init(_ members: some Sequence<(ByteString, SessionValue)>) {
        for (key, value) in members {
            self[key] = value
        }
    }

    /// The value of `key`; nil when there is none. Setting nil removes the member.
    public subscript(key: ByteString) -> SessionValue? {
        get {
            position(of: key).map { elements[$0].value }
        }
        set {
            switch (position(of: key), newValue) {
            case (let position?, let value?):
                elements[position].value = value
            case (nil, let value?):
                elements.append((key, value))
                if elements.count > Self.indexThreshold { index(from: elements.count - 1) }
            case (let position?, nil):
                elements.remove(at: position)
                unindex(key, at: position)
            case (nil, nil):
                break
            }
        }
    }

    /// The keys in order.
    public var keys: [ByteString] { elements.map(\.key) }

    private func position(of key: ByteString) -> Int? {
        if !positions.isEmpty { return positions[key] }
        return elements.firstIndex { $0.key == key }
    }

    private mutating func unindex(_ key: ByteString, at position: Int) {
        guard elements.count > Self.indexThreshold else {
            positions.removeAll()
            return
        }
        positions[key] = nil
        // Not hashed again: only the numbers change.
        for place in positions.values.indices where positions.values[place] > position {
            positions.values[place] -= 1
        }
    }

    private mutating func index(from start: Int) {
        let start = positions.isEmpty ? 0 : start
        for position in start..<elements.count {
            positions[elements[position].key] = position
        }
    }
}

extension SessionObject: RandomAccessCollection {
    /// The position of the first member.
    public var startIndex: Int { 0 }
    /// The position after the last member.
    public var endIndex: Int { elements.count }
    /// The member at `position`.
    public subscript(position: Int) -> Element { elements[position] }
}

extension SessionObject: Hashable {
    /// True for the same members in any order.
    public static func == (left: SessionObject, right: SessionObject) -> Bool {
        left.count == right.count && left.allSatisfy { right[$0.key] == $0.value }
    }

    /// Feeds the members, without their order.
    public func hash(into hasher: inout Hasher) {
        // Without order, as equality is.
        var combined = 0
        for element in elements {
            var member = Hasher()
            member.combine(element.key)
            member.combine(element.value)
            combined ^= member.finalize()
        }
        hasher.combine(combined)
    }
}

extension SessionObject: ExpressibleByDictionaryLiteral {
    /// These members in this order; of equal keys the last value counts.
    public init(dictionaryLiteral elements: (ByteString, SessionValue)...) {
        self.init(elements)
    }
}
