import TestSupport

/// A request put together by chance, as bytes and as what has to be answered.
struct RandomRequest {
    /// What the handler does with the body before it answers.
    enum Use: String, CaseIterable {
        case all, some, none, large, fail
    }

    let bytes: [UInt8]
    /// Where to cut the bytes into pieces, ascending.
    let cuts: [Int]
    let use: Use
    /// The text of the answer.
    let answer: String

    /// - Parameter name: Appears in the request and in its answer, so that no other's can be taken for it.
    init(named name: String, _ random: inout SeededGenerator) {
        let use = Use.allCases.randomElement(using: &random)!
        let size = Self.size(&random)
        let start = Int.random(in: 0..<Self.noise.count - size, using: &random)
        let body = Array(Self.noise[start..<start + size])
        let value = String(repeating: "v", count: [0, 1, 126, 127, 128, 129, 3000].randomElement(using: &random)!)

        let parameters = [
            ("REQUEST_METHOD", "POST"), ("REQUEST_URI", "/\(use.rawValue)/\(name)"), ("HTTP_X_NAME", name),
            ("HTTP_X_VALUE", value), ("CONTENT_LENGTH", "\(body.count)"),
        ].shuffled(using: &random)
        let id = UInt16.random(in: 1...9, using: &random)
        var begin = FastCGIRecord.begin(id: id)
        begin.padding = [0, 0, 8].randomElement(using: &random)!
        var bytes = begin.bytes
        let pairs = FastCGIRecord.pairs(parameters, longLengths: .random(using: &random))
        Self.append(FastCGIRecord.Kind.params, id, pairs, to: &bytes, &random)
        Self.append(FastCGIRecord.Kind.stdin, id, body, to: &bytes, &random)

        self.bytes = bytes
        self.use = use
        let count = [0, 0, 1, 2, 5, 40].randomElement(using: &random)!
        cuts = (0..<count).map { _ in Int.random(in: 1..<bytes.count, using: &random) }.sorted()
        switch use {
        case .all: answer = Self.answer(name, value, body[...])
        case .some: answer = Self.answer(name, value, body.prefix(100))
        case .none: answer = Self.answer(name, value, [])
        case .large: answer = Self.answer(name, value, []) + Self.large
        case .fail: answer = "500 Internal Server Error\n"
        }
    }

    /// What bodies are taken from: to make each by itself takes minutes under a sanitizer.
    private static let noise = {
        var random = SeededGenerator(seed: 0)
        var bytes: [UInt8] = []
        for _ in 0..<50_000 { withUnsafeBytes(of: random.next()) { bytes.append(contentsOf: $0) } }
        return bytes
    }()

    /// More than a connection takes at once.
    static let large = String(repeating: "large\n", count: 60_000)

    static func answer(_ name: String, _ value: String, _ body: ArraySlice<UInt8>) -> String {
        // The same for both sides, as they are in one process.
        var hasher = Hasher()
        body.withUnsafeBytes { hasher.combine(bytes: $0) }
        return "\(name) \(value.utf8.count) \(body.count) \(hasher.finalize())\n"
    }

    /// Around the sizes of libfcgi's buffer, of one look at a connection, and of what is held in memory.
    private static func size(_ random: inout SeededGenerator) -> Int {
        let around = [0, 0, 1, 100, 8_192, 16_384, 65_536, 200_000].randomElement(using: &random)!
        return max(0, around + .random(in: -500...500, using: &random))
    }

    /// A stream in records of any length and padding.
    private static func append(
        _ type: UInt8, _ id: UInt16, _ content: [UInt8], to bytes: inout [UInt8], _ random: inout SeededGenerator
    ) {
        var rest = content[...]
        let most = [7, 300, 65_535].randomElement(using: &random)! + (content.count > 10_000 ? 5_000 : 0)
        while !rest.isEmpty {
            let length = min(rest.count, .random(in: 1...min(most, 65_535), using: &random))
            // Long paddings of short records would make a head too large.
            let padding = Bool.random(using: &random) ? Int.random(in: 0...min(255, most), using: &random) : 0
            bytes += FastCGIRecord(type, id: id, Array(rest.prefix(length)), padding: padding).bytes
            rest = rest.dropFirst(length)
        }
        bytes += FastCGIRecord(type, id: id, padding: .random(in: 0...8, using: &random)).bytes
    }
}
