import Testing

@testable import FastCGI

@Suite("Heads of form parts")
struct PartHeadTests {
    private func head(_ lines: String...) throws -> PartHead {
        try PartHead(parsing: Array(lines.joined(separator: "\r\n").utf8)[...])
    }

    @Test(
        "names and file names are read as browsers and other clients write them",
        arguments: [
            ("form-data; name=\"a\"", PartHead(name: "a")),
            ("form-data; name=a", PartHead(name: "a")),
            ("Form-Data;NAME=\"a\"", PartHead(name: "a")),
            ("form-data; name=\"\"", PartHead(name: "")),
            ("form-data; name=\"a;b=c\"", PartHead(name: "a;b=c")),
            ("form-data; name=\"é\"", PartHead(name: "é")),
            ("form-data; name=\"a%22b%0D%0Ac%41\"", PartHead(name: "a\"b\r\nc%41")),
            ("form-data; name=\"a\\\"b\\\\c\\d\"", PartHead(name: "a\"b\\c\\d")),
            ("form-data; name=\"f\"; filename=\"x.txt\"", PartHead(name: "f", filename: "x.txt")),
            ("form-data; filename=\"x.txt\"; name=\"f\"", PartHead(name: "f", filename: "x.txt")),
            ("form-data; name=\"f\"; filename=\"\"", PartHead(name: "f", filename: "")),
            ("form-data; name=\"f\"; filename=\"C:\\dir\\x.txt\"", PartHead(name: "f", filename: "C:\\dir\\x.txt")),
            ("form-data; name=\"f\"; filename=\"x\"; filename*=UTF-8''y", PartHead(name: "f", filename: "x")),
            ("form-data; name=\"f\"; filename*=UTF-8''y", PartHead(name: "f")),
        ]
    )
    func reads(disposition: String, expected: PartHead) throws {
        #expect(try head("Content-Disposition: \(disposition)") == expected)
    }

    @Test("other headers are passed over, the part's type is kept")
    func readsOthers() throws {
        let head = try head(
            "X-Other: 1", "CONTENT-TYPE:\t text/plain; charset=utf-8 \t", "content-disposition:form-data;name=a",
            "Content-Transfer-Encoding: Binary")
        #expect(head == PartHead(name: "a", contentType: "text/plain; charset=utf-8"))
    }

    @Test("bytes of a name that are no UTF-8 are repaired")
    func repairs() throws {
        let line = Array("Content-Disposition: form-data; name=\"".utf8) + [0xff, UInt8(ascii: "\"")]
        #expect(try PartHead(parsing: line[...]).name == "\u{FFFD}")
    }

    @Test(
        "a head that could be read in two ways is malformed",
        arguments: [
            "", "Content-Type: text/plain", "Content-Disposition: form-data", "Content-Disposition: form-data; name",
            "Content-Disposition: attachment; name=a", "Content-Disposition: form-data; name=a; name=b",
            "Content-Disposition: form-data; name=\"a", "Content-Disposition: form-data; name=\"a\"b",
            "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b",
            "Content-Disposition: form-data;\r\n name=a", "Content-Disposition : form-data; name=a",
            " Content-Disposition: form-data; name=a", ": form-data; name=a", "garbage",
            "Content-Disposition: form-data; name=\"a\0b\"", "Content-Disposition: form-data; name=\"a\nb\"",
            "Content-Disposition: form-data; name=a\nX: y", "Content-Disposition: form-data; name=a\r\n\r\nX: y",
            "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64",
        ]
    )
    func malformed(lines: String) throws {
        let error = #expect(throws: FormError.self) { try head(lines) }
        #expect(error?.statusCode == 400)
    }

    @Test("more than 16 headers are refused with 413")
    func limitsHeaders() throws {
        let head = ["Content-Disposition: form-data; name=a"] + (2...16).map { "X-\($0): y" }
        #expect(try self.head(head.joined(separator: "\r\n")).name == "a")
        let error = #expect(throws: FormError.self) {
            try self.head((head + ["X-17: y"]).joined(separator: "\r\n"))
        }
        #expect(error?.statusCode == 413)
    }
}
