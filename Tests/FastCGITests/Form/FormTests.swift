import Foundation
import Testing

@testable import FastCGI

@Suite("Forms")
struct FormTests {
    private static func part(_ name: String, _ content: String, file: String? = nil) -> String {
        let filename = file.map { "; filename=\"\($0)\"" } ?? ""
        return "--b\r\nContent-Disposition: form-data; name=\"\(name)\"\(filename)\r\n\r\n\(content)\r\n"
    }

    @Test("a urlencoded body is read in pieces of any size", arguments: [1, 2, 3, 5, Int.max])
    func urlEncoded(size: Int) throws {
        let body = Array("a=%C3%A9+b&c=%26".utf8)
        let form = try Form.parse("application/x-www-form-urlencoded", body, sizes: [size])
        #expect(try form.summary() == ["a=é b", "c=&"])
        #expect(try Form.parse("application/x-www-form-urlencoded", []).fields.isEmpty)
    }

    /// A Content-Type, a body of Latin-1 and what it holds.
    private static let latin1Forms: [(type: String, body: String, summary: [String])] = [
        ("application/x-www-form-urlencoded; charset=ISO-8859-1", "caf%E9=na%EFf+\u{e9}", ["café=naïf é"]),
        (
            "multipart/form-data; boundary=b; charset=ISO-8859-1",
            "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nna\u{ef}f\r\n--b--", ["a=naïf"]
        ),
        (
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=ISO-8859-1\r\n\r\n"
                + "na\u{ef}f\r\n--b\r\nContent-Disposition: form-data; name=b\r\n\r\n\u{c3}\u{a9}\r\n--b--",
            ["a=naïf", "b=é"]
        ),
        (
            "multipart/form-data; boundary=b; charset=ISO-8859-1",
            "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n"
                + "\u{c3}\u{a9}\r\n--b--", ["a=é"]
        ),
    ]

    @Test("text in ISO-8859-1, as Java clients send it, is read as what it is", arguments: latin1Forms)
    func latin1(type: String, body: String, summary: [String]) throws {
        let body = body.unicodeScalars.map { UInt8($0.value) }
        #expect(try Form.parse(type, body).summary() == summary)
    }

    @Test("a file whose name comes in filename* or an encoded word has no path and no controls in it")
    func encodedFileNames() throws {
        let disposition = "Content-Disposition: form-data; name=f; filename"
        for name in [
            "*=UTF-8''..%2F..%2Fetc%2Fcaf%C3%A9%00%0D%0A%C2%85", "==?utf-8?Q?..=2F=5Ccaf=C3=A9=00=0D=0A=C2=85?=",
        ] {
            let form = try Form.parse(multipart: "--b\r\n\(disposition)\(name)\r\n\r\n1\r\n--b--")
            #expect(try form.summary() == ["f=café|-|[49]"])
        }
    }

    @Test(
        "errors of the source come through",
        arguments: ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
    func passesErrors(type: String) {
        #expect(throws: CancellationError.self) { try Form.parse(contentType: type) { _ in throw CancellationError() } }
    }

    @Test("a body of another type is refused before it is read")
    func refusesUnread() {
        let error = #expect(throws: FormError.self) {
            try Form.parse(contentType: "text/plain") { _ in throw CancellationError() }
        }
        #expect(error?.statusCode == 415)
    }

    /// Limits that a form of two fields of 8 bytes and two files just fits into.
    private static var tight: FormLimits {
        var limits = FormLimits()
        limits.maxFields = 2
        limits.maxFieldBytes = 8
        limits.maxFiles = 2
        return limits
    }

    /// Parts of a form, and whether it is accepted.
    private static let atTheLimits: [(parts: [String], passes: Bool)] = [
        ([part("a", "123"), part("b", "456")], true),
        ([part("a", "123"), part("b", "4567")], false),
        ([part("a", "12345678")], false),
        ([part("a", ""), part("b", ""), part("c", "")], false),
        ([part("a", "1", file: "1"), part("a", "2", file: "2"), part("b", "1234567")], true),
        ([part("a", "1", file: "1"), part("a", "2", file: "2"), part("a", "", file: "3")], false),
        ([part("a", "1", file: ""), part("a", "2", file: "2"), part("a", "3", file: "")], false),
        ([part("a", "", file: ""), part("a", "", file: "")], true),
        ([part("a", "", file: ""), part("a", "", file: ""), part("a", "", file: "")], false),
        ([part("a", "", file: ""), part("a", ""), part("a", "", file: "")], false),
        ([part("a", "longer than all fields", file: "x")], true),
    ]

    @Test("a form at the limits passes, one past them is refused with 413", arguments: atTheLimits)
    func limits(parts: [String], passes: Bool) throws {
        let body = parts.joined() + "--b--"
        for sizes in [[Int.max], [1]] {
            if passes {
                _ = try Form.parse(multipart: body, limits: Self.tight, sizes: sizes)
            } else {
                let error = #expect(throws: FormError.self) {
                    try Form.parse(multipart: body, limits: Self.tight, sizes: sizes)
                }
                #expect(error?.statusCode == 413)
            }
        }
    }

    @Test("a urlencoded body over the limit is refused with 413 without being held")
    func limitsURLEncoded() throws {
        let type = "application/x-www-form-urlencoded"
        #expect(try Form.parse(type, Array("a=123456".utf8), limits: Self.tight).fields["a"] == "123456")
        var read = 0
        let error = #expect(throws: FormError.self) {
            try Form.parse(contentType: type, limits: Self.tight) { buffer in
                read += buffer.count
                return buffer.count
            }
        }
        #expect(error?.statusCode == 413)
        #expect(read <= 16 << 10)
    }

    @Test("a directory that cannot hold the files is an error of the server, and found at its start")
    func temporaryDirectory() throws {
        var limits = FormLimits()
        limits.fileMemoryThreshold = 0
        limits.temporaryDirectory = "/nonexistent"
        let error = #expect(throws: FormError.self) {
            try Form.parse(multipart: Self.part("a", "1", file: "x") + "--b--", limits: limits)
        }
        #expect(error?.statusCode == 500)
        #expect(error?.description.contains("/nonexistent") == true)
        #expect(throws: ConfigurationError.self) { try limits.validate() }
        #expect(throws: Never.self) { try FormLimits().validate() }
    }

    @Test("random forms read as they were written", arguments: 0..<200 as Range<UInt64>)
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let written = RandomForm(using: &generator)
        var limits = FormLimits()
        limits.fileMemoryThreshold = Int.random(in: 0...200, using: &generator)
        let sizes = (0..<50).map { _ in Int.random(in: 1...40, using: &generator) }
        let read = try Form.parse(
            "multipart/form-data; boundary=\"\(written.boundary)\"", written.multipart, limits: limits, sizes: sizes)
        #expect(read.fields == written.fields)
        #expect(read.files.map(\.name.string) == written.files.map(\.name))
        #expect(read.files.map(\.filename) == written.files.map(\.filename))
        #expect(try read.files.map { try $0.bytes() } == written.files.map(\.content))
        let encoded = try Form.parse(
            "application/x-www-form-urlencoded", Array(written.fields.urlEncoded.utf8), sizes: sizes)
        #expect(encoded.fields == written.fields)
    }
}
