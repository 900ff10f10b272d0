internal import Glibc

/// Cuts a `multipart/form-data` body (RFC 7578, RFC 2046 section 5.1.1) into its parts, as its bytes come in.
///
/// It holds no more than one part's header fields and a boundary's length of content at a time. A function of its
/// bytes: no I/O, and any way of cutting the input gives the same parts.
struct MultipartParser {
    /// What is found, in order: a part's fields, its content in pieces, its end.
    enum Event {
        case part(disposition: MediaType, contentType: String?)
        case content(UnsafeRawBufferPointer)
        case end
    }

    /// Most bytes of one part's header fields.
    static let maxHeaderBytes = 8 << 10

    private enum State {
        /// Before the first boundary; a preamble is passed over.
        case preamble
        /// Behind a boundary: `--` ends the body, a line end begins a part.
        case boundary
        case headers
        case content
        /// Behind the last boundary; an epilogue is passed over.
        case epilogue
    }

    private var state = State.preamble
    /// CR LF, two hyphens and the boundary.
    private let delimiter: [UInt8]
    /// Not yet decided upon. A line end in front lets the first boundary look like all others.
    private var pending: [UInt8] = [13, 10]

    /// - Throws: ``FormError`` if the boundary is missing or none (RFC 2046: 1 to 70 characters).
    init(boundary: String?) throws(FormError) {
        let bytes = Array((boundary ?? "").utf8)
        guard (1...70).contains(bytes.count), bytes.last != UInt8(ascii: " "),
            bytes.allSatisfy({ (0x20...0x7e).contains($0) })
        else { throw FormError(.malformed("its Content-Type has no boundary of 1 to 70 characters")) }
        delimiter = [13, 10, 45, 45] + bytes
    }

    /// Takes the next bytes and reports what they complete.
    mutating func consume(_ bytes: UnsafeRawBufferPointer, _ report: (Event) throws -> Void) throws {
        pending.append(contentsOf: bytes)
        var position = 0
        while try step(&position, report) {}
        pending.removeFirst(position)
    }

    /// The input has ended. Throws if the last boundary has not been seen.
    func finish() throws(FormError) {
        guard case .epilogue = state else { throw FormError(.malformed("it ends before its last boundary")) }
    }

    /// Takes one step at `position`; false when more bytes are needed.
    private mutating func step(_ position: inout Int, _ report: (Event) throws -> Void) throws -> Bool {
        switch state {
        case .preamble:
            let (end, found) = scan(position)
            position = found ? end + delimiter.count : end
            if found { state = .boundary }
            return found
        case .boundary:
            return try stepBoundary(&position)
        case .headers:
            return try stepHeaders(&position, report)
        case .content:
            let (end, found) = scan(position)
            if end > position {
                try pending.withUnsafeBytes {
                    try report(.content(UnsafeRawBufferPointer(rebasing: $0[position..<end])))
                }
            }
            position = found ? end + delimiter.count : end
            if found {
                try report(.end)
                state = .boundary
            }
            return found
        case .epilogue:
            position = pending.count
            return false
        }
    }

    private mutating func stepBoundary(_ position: inout Int) throws(FormError) -> Bool {
        var index = position
        guard index + 2 <= pending.count else { return false }
        if pending[index] == 45, pending[index + 1] == 45 {
            position += 2
            state = .epilogue
            return true
        }
        // Transport padding (RFC 2046): blanks before the line end.
        while index < pending.count, pending[index] == 32 || pending[index] == 9 { index += 1 }
        guard index - position <= 256 else { throw FormError(.malformed("a boundary's line does not end")) }
        guard index + 2 <= pending.count else { return false }
        guard pending[index] == 13, pending[index + 1] == 10 else {
            throw FormError(.malformed("bytes follow a boundary on its line"))
        }
        // The line end stays: header fields begin behind one, as an empty block of them does.
        position = index
        state = .headers
        return true
    }

    private mutating func stepHeaders(_ position: inout Int, _ report: (Event) throws -> Void) throws -> Bool {
        var index = position
        while index + 4 <= pending.count {
            if pending[index] == 13, pending[index + 1] == 10, pending[index + 2] == 13, pending[index + 3] == 10 {
                let fields = pending[min(position + 2, index)..<index]
                try report(Self.part(fields))
                position = index + 4
                state = .content
                return true
            }
            index += 1
        }
        guard pending.count - position <= Self.maxHeaderBytes else {
            throw FormError(.tooLarge("a part's header fields take more than \(Self.maxHeaderBytes) bytes"))
        }
        return false
    }

    private static func part(_ block: ArraySlice<UInt8>) throws(FormError) -> Event {
        var disposition: MediaType?
        var contentType: String?
        for line in String(decoding: block, as: UTF8.self).split(separator: "\r\n") {
            guard let colon = line.firstIndex(of: ":") else {
                throw FormError(.malformed("a part's header field has no colon"))
            }
            let value = String(line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" })
            switch line[..<colon].lowercased() {
            case "content-disposition": disposition = disposition ?? MediaType(value)
            case "content-type": contentType = contentType ?? value
            default: break
            }
        }
        guard let disposition, disposition.value == "form-data", disposition.parameters["name"] != nil else {
            throw FormError(.malformed("a part has no name"))
        }
        return .part(disposition: disposition, contentType: contentType)
    }

    /// Looks for the delimiter from `start` on. Returns where it stands, or how far the bytes certainly hold none.
    private func scan(_ start: Int) -> (end: Int, found: Bool) {
        pending.withUnsafeBytes { bytes in
            var index = start
            while index < bytes.count {
                guard let hit = memchr(bytes.baseAddress! + index, 13, bytes.count - index) else {
                    return (bytes.count, false)
                }
                index = bytes.baseAddress!.distance(to: UnsafeRawPointer(hit))
                let length = min(delimiter.count, bytes.count - index)
                let matches = delimiter.withUnsafeBytes {
                    memcmp($0.baseAddress!, bytes.baseAddress! + index, length) == 0
                }
                if matches { return (index, length == delimiter.count) }
                index += 1
            }
            return (bytes.count, false)
        }
    }
}
