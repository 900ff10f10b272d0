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
            ("form-data; name=\"f\"; filename=x", PartHead(name: "f", filename: "x")),
            // A backslash before the last quote, as browsers send it.
            ("form-data; name=\"f\"; filename=\"a\\\"", PartHead(name: "f", filename: "a\\")),
            ("form-data; filename=\"a\\\"; name=\"f\"", PartHead(name: "f", filename: "a\\")),
            ("form-data; name=\"f\\\"; filename=\"a\"", PartHead(name: "f\\", filename: "a")),
            ("form-data; name=\"f\"; filename=\"\\\"", PartHead(name: "f", filename: "\\")),
            ("form-data; name=\"f\"; filename=\"a\\\"b\"", PartHead(name: "f", filename: "a\"b")),
            ("form-data; name=\"f\"; filename=\"a\\\\\"", PartHead(name: "f", filename: "a\\")),
            ("form-data; name=\"f\\\"; x=\\\"\"", PartHead(name: "f\"; x=\"")),
            // Extended parameters.
            ("form-data; name=\"f\"; filename*=UTF-8''y", PartHead(name: "f", filename: "y")),
            ("form-data; filename*=utf-8'de'caf%C3%A9.txt; name=f", PartHead(name: "f", filename: "café.txt")),
            ("form-data; name=f; FileName*=\"UTF-8''a%20b\"", PartHead(name: "f", filename: "a b")),
            ("form-data; name=f; filename*=ISO-8859-1''caf%e9", PartHead(name: "f", filename: "café")),
            ("form-data; name=f; filename*=UTF-8''", PartHead(name: "f", filename: "")),
            ("form-data; name=f; filename*=UTF-8''a'b", PartHead(name: "f", filename: "a'b")),
            ("form-data; name*=UTF-8''caf%C3%A9", PartHead(name: "café")),
            // An encoded word that is all of the file's name.
            ("form-data; name=f; filename=\"=?utf-8?B?Y2Fmw6kudHh0?=\"", PartHead(name: "f", filename: "café.txt")),
            (
                "form-data; name=f; filename=\"=?UTF-8?q?caf=C3=A9_1.txt?=\"",
                PartHead(name: "f", filename: "café 1.txt")
            ),
            ("form-data; name=f; filename==?utf-8?Q?a=2Cb?=", PartHead(name: "f", filename: "a,b")),
            ("form-data; name=f; filename=\"x=?utf-8?Q?a?=\"", PartHead(name: "f", filename: "x=?utf-8?Q?a?=")),
            ("form-data; name=f; filename=\"=?utf-8?Q?a\"", PartHead(name: "f", filename: "=?utf-8?Q?a")),
            ("form-data; name=\"=?utf-8?Q?a?=\"", PartHead(name: "=?utf-8?Q?a?=")),
        ]
    )
    func reads(disposition: String, expected: PartHead) throws {
        #expect(try head("Content-Disposition: \(disposition)") == expected)
    }

    @Test(
        "filename* counts where filename is its ASCII stand-in, else filename does",
        arguments: [
            ("cafe.txt", "caf%C3%A9.txt", "café.txt"), ("caf_.txt", "caf%C3%A9.txt", "café.txt"),
            ("file.TXT", "caf%C3%A9.txt", "café.txt"), ("caf%C3%A9.txt", "caf%C3%A9.txt", "café.txt"),
            ("resume", "r%C3%A9sum%C3%A9", "résumé"), ("", "%C3%A9", "é"),
            ("=?utf-8?Q?caf=C3=A9.txt?=", "na%C3%AFf.txt", "café.txt"),
            ("harmless.txt", "caf%C3%A9.php", "harmless.txt"), ("harmless", "caf%C3%A9.php", "harmless"),
            ("harmless.txt", "caf%C3%A9", "harmless.txt"), ("harmless.txt", "other.txt", "harmless.txt"),
            ("na\u{ef}f.txt", "caf%C3%A9.txt", "na\u{ef}f.txt"), ("x.k", "%C3%A9.%E2%84%AA", "x.k"),
        ]
    )
    func standIns(plain: String, extended: String, expected: String) throws {
        let parameters = ["filename=\"\(plain)\"", "filename*=UTF-8''\(extended)"]
        for parameters in [parameters, parameters.reversed()] {
            let head = try head("Content-Disposition: form-data; name=f; \(parameters.joined(separator: "; "))")
            #expect(head.filename.map { Array($0.utf8) } == Array(expected.utf8))
        }
    }

    @Test(
        "a field's own charset is read, a file's is left to the handler",
        arguments: [
            ("text/plain", nil), ("text/plain; charset=UTF-8", .utf8), ("text/plain; charset=\"utf-8\"", .utf8),
            ("text/plain; charset=ISO-8859-1", .latin1), ("text/plain; =", nil),
        ] as [(String, FormCharset?)]
    )
    func charset(type: String, expected: FormCharset?) throws {
        let field = try head("Content-Disposition: form-data; name=a", "Content-Type: \(type)")
        #expect(field == PartHead(name: "a", contentType: type, charset: expected))
        let file = try head("Content-Type: \(type)6", "Content-Disposition: form-data; name=a; filename=x")
        #expect(file == PartHead(name: "a", filename: "x", contentType: "\(type)6"))
        let error = #expect(throws: FormError.self) {
            try head("Content-Disposition: form-data; name=a", "Content-Type: text/plain; charset=utf-16")
        }
        #expect(error?.statusCode == 415)
    }

    @Test("other headers are passed over, the part's type is kept")
    func readsOthers() throws {
        let head = try head(
            "X-Other: 1", "CONTENT-TYPE:\t text/plain; charset=utf-8 \t", "content-disposition:form-data;name=a",
            "Content-Transfer-Encoding: Binary")
        #expect(head == PartHead(name: "a", contentType: "text/plain; charset=utf-8", charset: .utf8))
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
            "Content-Disposition: form-data; name=a; name*=UTF-8''a", "Content-Disposition: form-data; name*=a",
            "Content-Disposition: form-data; name*=UTF-8''%", "Content-Disposition: form-data; name=a; filename*=b",
            "Content-Disposition: form-data; name=a; filename*=UTF-8'b",
            "Content-Disposition: form-data; name=a; filename*=UTF-8''%4",
            "Content-Disposition: form-data; name=a; filename*=UTF-8''%FF",
            "Content-Disposition: form-data; name=a; filename*=utf-16''b",
            "Content-Disposition: form-data; name=a; filename*=''b",
            "Content-Disposition: form-data; name=a; filename*=UTF-8''b; filename*=UTF-8''b",
            "Content-Disposition: form-data; name=a; filename*0=b",
            "Content-Disposition: form-data; name*0=a; name*1=b",
            "Content-Disposition: form-data; name=a; filename*0*=UTF-8''b",
            "Content-Disposition: form-data; name=a; filename=\"b\\",
            "Content-Disposition: form-data; name=a\r\nContent-Type: text/plain\r\nContent-Type: text/html",
        ]
    )
    func malformed(lines: String) throws {
        let error = #expect(throws: FormError.self) { try head(lines) }
        #expect(error?.statusCode == 400)
    }

    @Test("more than 16 parameters of a Content-Disposition are refused with 400")
    func limitsParameters() throws {
        func disposition(_ count: Int) -> String {
            "Content-Disposition: form-data; name=a" + (1..<count).map { "; p\($0)=v" }.joined()
        }
        #expect(try head(disposition(16)).name == "a")
        for count in [17, 1500] {
            let error = #expect(throws: FormError.self) { try head(disposition(count)) }
            #expect(error?.statusCode == 400)
        }
    }

    @Test(
        "a name is the bytes that were sent, also where they are no text",
        arguments: [[0xe9], [0xe8], [0xff, 0x61], [0x25, 0xe9]])
    func namesAreBytes(name: [UInt8]) throws {
        let line = Array("Content-Disposition: form-data; name=\"".utf8) + name + [UInt8(ascii: "\"")]
        #expect(try PartHead(parsing: line[...]).name == ByteString(bytes: name))
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
