@testable import FastCGI

/// A body that arrives in pieces of the given sizes, the last size repeated.
struct FormSource {
    private let bytes: [UInt8]
    private let sizes: [Int]
    private var position = 0
    private var reads = 0

    init(_ bytes: [UInt8], sizes: [Int] = [.max]) {
        self.bytes = bytes
        self.sizes = sizes
    }

    mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        // A size of 0 would say that the body is over.
        let size = max(1, sizes[min(reads, sizes.count - 1)])
        let piece = bytes[position...].prefix(min(size, buffer.count))
        buffer.copyBytes(from: piece)
        position += piece.count
        reads += 1
        return piece.count
    }
}

extension Form {
    /// Parses a body that arrives in pieces.
    static func parse(
        _ contentType: String?, _ body: [UInt8], limits: FormLimits = FormLimits(), sizes: [Int] = [.max]
    ) throws -> Form {
        var source = FormSource(body, sizes: sizes)
        return try parse(contentType: contentType, limits: limits) { source.read(into: $0) }
    }

    /// Parses `multipart/form-data` with the boundary `b`.
    static func parse(
        multipart body: String, limits: FormLimits = FormLimits(), sizes: [Int] = [.max]
    ) throws -> Form {
        try parse("multipart/form-data; boundary=b", Array(body.utf8), limits: limits, sizes: sizes)
    }

    /// All that was received, for comparisons.
    func summary() throws -> [String] {
        try fields.map { "\($0.name)=\($0.value)" }
            + files.map { "\($0.name)=\($0.filename)|\($0.contentType ?? "-")|\(try $0.bytes())" }
    }
}
