/// A kind of input, made as nasty as it can be, and the code that has to bear it.
struct Shape: Sendable {
    /// The code.
    let parser: String
    /// The input.
    let name: String
    /// A size at which the counted work takes some ten milliseconds.
    let size: Int
    /// Makes the input of a size and gives what is to be counted. The input's length grows with the size, not faster.
    let prepare: @Sendable (Int) throws -> () throws -> Void

    init(
        _ parser: String, _ name: String, _ size: Int, _ prepare: @escaping @Sendable (Int) throws -> () throws -> Void
    ) {
        self.parser = parser
        self.name = name
        self.size = size
        self.prepare = prepare
    }
}

/// A result that the optimiser must not leave out.
@inline(never)
func use(_ value: some Any) {}

/// `text`, over and over.
func bytes(_ text: String, times count: Int) -> [UInt8] {
    let unit = Array(text.utf8)
    var all: [UInt8] = []
    all.reserveCapacity(unit.count * count)
    for _ in 0..<count { all += unit }
    return all
}

/// A text for each number below `count`, one after the other.
func bytes(upTo count: Int, _ text: (Int) -> String) -> [UInt8] {
    var all: [UInt8] = []
    for number in 0..<count { all += Array(text(number).utf8) }
    return all
}
