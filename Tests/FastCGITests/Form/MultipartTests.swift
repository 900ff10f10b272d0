import Testing

@testable import FastCGI

@Suite("Multipart forms")
struct MultipartTests {
    private static let disposition = "Content-Disposition: form-data; name="

    /// Bodies of boundary `b`, and what they hold.
    static let corpus: [(body: String, summary: [String])] = [
        ("--b--", []),
        ("--b--\r\n", []),
        ("--b\r\n\(disposition)a\r\n\r\n1\r\n--b--\r\n", ["a=1"]),
        ("\r\n--b\r\n\(disposition)a\r\n\r\n1\r\n--b--", ["a=1"]),
        ("preamble\r\n--b\r\n\(disposition)a\r\n\r\n1\r\n--b--\r\nepilogue\r\n--b\r\n", ["a=1"]),
        ("--b \t\r\n\(disposition)a\r\n\r\n\r\n--b  \r\n\(disposition)c\r\n\r\n\r\n\r\n--b--", ["a=", "c=\r\n"]),
        (
            "--b\r\n\(disposition)a\r\n\r\n\r\r\n-\r\n--\r\n--a\r\n--B\r\n --b --b\n--b\r--b\r\n--b--",
            ["a=\r\r\n-\r\n--\r\n--a\r\n--B\r\n --b --b\n--b\r--b"]
        ),
        ("--b\r\n\(disposition)a\r\n\r\n\r\n\r\n--\r\n\r\n--b--", ["a=\r\n\r\n--\r\n"]),
        (
            "--b\r\n\(disposition)f;filename=x\r\nContent-Type: a/b\r\n\r\n\r\n-\r\n--b\r\n\(disposition)f;filename=\"\"\r\n\r\n\r\n--b--",
            ["f=x|a/b|[13, 10, 45]"]
        ),
    ]

    @Test("every body reads the same however it is cut in two", arguments: corpus)
    func splits(body: String, summary: [String]) throws {
        for size in 1...body.utf8.count {
            let read = try Form.parse(multipart: body, sizes: [size, .max]).summary()
            #expect(read == summary, "cut at \(size)")
        }
    }

    @Test("every body reads the same in pieces of any one size", arguments: corpus)
    func pieces(body: String, summary: [String]) throws {
        for size in 1...16 {
            let read = try Form.parse(multipart: body, sizes: [size]).summary()
            #expect(read == summary, "in pieces of \(size)")
        }
    }

    @Test("a body cut off before its last boundary is an error wherever it is cut", arguments: corpus)
    func truncated(body: String, summary: [String]) throws {
        let close = try #require(body.firstRange(of: "--b--"))
        let needed = body[..<close.upperBound].utf8.count
        for length in 0..<needed {
            let cut = String(decoding: Array(body.utf8)[..<length], as: UTF8.self)
            for sizes in [[Int.max], [1]] {
                let error = #expect(throws: FormError.self, "cut to \(length)") {
                    try Form.parse(multipart: cut, sizes: sizes)
                }
                #expect(error?.statusCode == 400)
            }
        }
    }

    @Test(
        "a body that could be read in two ways is malformed",
        arguments: [
            "", "a=1", "--b\n\(disposition)a\n\n1\n--b--", "--b\r\n\r\n1\r\n--b--",
            "--b\r\n\(disposition)a\r\n\r\n1--b--",
            "--bx\r\n\(disposition)a\r\n\r\n1\r\n--bx--", "--b\r\n\(disposition)a\r\n\r\n1\r\n--bx\r\n--b--",
            "--b\r\n\(disposition)a\r\n\r\n1\r\n--b \r\r\n--b--", "--b --", "--b\r\n\(disposition)a\n\n1\r\n--b--",
            "--b\r\n\(disposition)a\r\n\r\n1\r\n--b-\r\n", "--c\r\n\(disposition)a\r\n\r\n1\r\n--c--",
        ]
    )
    func malformed(body: String) throws {
        for sizes in [[Int.max], [1], [2], [3]] {
            let error = #expect(throws: FormError.self) { try Form.parse(multipart: body, sizes: sizes) }
            #expect(error?.statusCode == 400)
        }
    }

    @Test("a file's bytes are kept as they are, in memory and on disk", arguments: [0, 1, 1000, 65_536, 300_000])
    func binary(size: Int) throws {
        var generator = SeededGenerator(seed: UInt64(size))
        // All of the boundary but its last byte comes up often.
        let content = (0..<size).map { _ in Array("\r\n-b\0".utf8)[Int.random(in: 0..<5, using: &generator)] }
        let head = "--bb-b2\r\n\(Self.disposition)f; filename=x\r\n\r\n"
        let body = Array(head.utf8) + content + Array("\r\n--bb-b2--".utf8)
        for sizes in [[Int.max], [4096], [1, 7, 65_536, 13]] {
            var limits = FormLimits()
            for threshold in [0, 1000, 1 << 20] {
                limits.fileMemoryThreshold = threshold
                let form = try Form.parse("multipart/form-data; boundary=bb-b2", body, limits: limits, sizes: sizes)
                let file = try #require(form.file("f"))
                #expect(try file.bytes() == content)
                #expect(file.size == size)
                #expect(file.isInMemory == (size <= threshold))
            }
        }
    }

    @Test(
        "the longest boundary parts a form, and what is nearly it does not",
        arguments: [1, 255, 256, 257, 65_536, .max])
    func longBoundary(size: Int) throws {
        let boundary = String(repeating: "b*", count: 128)
        let near = "\r\n--" + boundary.dropLast() + "+"
        let content = String(repeating: near, count: 300)
        let body = ["f", "g"].map { "--\(boundary)\r\n\(Self.disposition)\($0)\r\n\r\n\(content)\r\n" }.joined()
        let type = "multipart/form-data; boundary=\(boundary)"
        let form = try Form.parse(type, Array((body + "--\(boundary)--").utf8), sizes: [size])
        #expect(form.fields.map(\.value) == [content, content])
    }

    @Test("a parser with the smallest buffer reads a body much larger than it")
    func smallBuffer() throws {
        var parser = MultipartParser(boundary: Array("b".utf8), bufferSize: 192, maxHeadBytes: 64)
        let content = Array(String(repeating: "0123456789\r\n--", count: 1000).utf8)
        var source = FormSource(
            Array("--b\r\n\(Self.disposition)a\r\n\r\n".utf8) + content + Array("\r\n--b--".utf8), sizes: [50])
        var read: [UInt8] = []
        var events: [MultipartParser.Event] = []
        loop: while true {
            switch try parser.next() {
            case .needsInput: if !parser.fill({ source.read(into: $0) }) { parser.finish() }
            case .bytes(let range): parser.withBytes(range) { read.append(contentsOf: $0) }
            case .finished: break loop
            case let event: events.append(event)
            }
        }
        #expect(read == content)
        #expect(events == [.began(PartHead(name: "a")), .ended])
    }

    @Test("a part's head over the limit is refused, however it arrives", arguments: [1, 100, Int.max])
    func limitsHead(size: Int) throws {
        func body(_ length: Int) -> String {
            let head = "\(Self.disposition)a\r\nX: "
            return "--b\r\n\(head)\(String(repeating: "x", count: length - head.utf8.count))\r\n\r\n\r\n--b--"
        }
        #expect(try Form.parse(multipart: body(8192), sizes: [size]).fields["a"] == "")
        for length in [8193, 8196, 200_000] {
            let error = #expect(throws: FormError.self) { try Form.parse(multipart: body(length), sizes: [size]) }
            #expect(error?.statusCode == 413)
        }
    }
}
