import Testing

@testable import FastCGI

@Suite("Form fields")
struct FormFieldsTests {
    /// Fields of a table row.
    private func fields(_ pairs: [[String]]) -> FormFields {
        FormFields(pairs.map { (name: ByteString($0[0]), value: $0[1]) })
    }

    /// Urlencoded text, and the names and values in it.
    private static let corpus: [(text: String, pairs: [[String]])] = [
        ("", []),
        ("a=1", [["a", "1"]]),
        ("a=1&b=2&a=3", [["a", "1"], ["b", "2"], ["a", "3"]]),
        ("&&a=1&&", [["a", "1"]]),
        ("a", [["a", ""]]),
        ("a=", [["a", ""]]),
        ("=", [["", ""]]),
        ("=v", [["", "v"]]),
        ("a=b=c", [["a", "b=c"]]),
        ("a+b=c+d", [["a b", "c d"]]),
        ("a%20b=%2B%26%3D%25", [["a b", "+&=%"]]),
        ("%63af%c3%A9=x", [["café", "x"]]),
        ("a=%", [["a", "%"]]),
        ("a=%2", [["a", "%2"]]),
        ("a=%zz%4", [["a", "%zz%4"]]),
        ("a=%%41", [["a", "%A"]]),
        ("a=%+1", [["a", "% 1"]]),
        ("a=%2&b=3", [["a", "%2"], ["b", "3"]]),
        ("a=%FFx%C3", [["a", "\u{FFFD}x\u{FFFD}"]]),
        ("a=%00", [["a", "\0"]]),
        ("a=%EF%BB%BFx", [["a", "\u{FEFF}x"]]),
        ("a=1;b=2", [["a", "1;b=2"]]),
    ]

    @Test("urlencoded bytes are decoded as the WHATWG URL standard says", arguments: corpus)
    func decodes(text: String, pairs: [[String]]) throws {
        #expect(try FormFields(urlEncoded: Array(text.utf8), limits: FormLimits()) == fields(pairs))
    }

    @Test("raw bytes that are no UTF-8 are repaired")
    func repairs() throws {
        let fields = try FormFields(urlEncoded: [0x61, 0x3d, 0xff], limits: FormLimits())
        #expect(fields["a"] == "\u{FFFD}")
    }

    @Test("names are the bytes that were sent, and equal only if these are")
    func namesAreBytes() throws {
        let body = Array("%E9=latin&%C3%A9=composed&e%CC%81=decomposed&%EF%BF%BD=replacement".utf8)
        let fields = try FormFields(urlEncoded: body, limits: FormLimits())
        #expect(fields[ByteString(bytes: [0xE9])] == "latin")
        #expect(fields["\u{e9}"] == "composed" && fields.all("\u{e9}").count == 1)
        #expect(fields["e\u{301}"] == "decomposed" && fields.all("e\u{301}").count == 1)
        #expect(fields["\u{fffd}"] == "replacement")
        #expect(Array(fields.urlEncoded.utf8) == body)
    }

    @Test("what is encoded is ASCII and decodes to the same fields")
    func encodes() throws {
        let fields = FormFields([(name: "a b", value: "é+&=%"), (name: "*-._", value: ""), (name: "", value: "\0/")])
        #expect(fields.urlEncoded == "a+b=%C3%A9%2B%26%3D%25&*-._=&=%00%2F")
        #expect(try FormFields(urlEncoded: Array(fields.urlEncoded.utf8), limits: FormLimits()) == fields)
    }

    @Test("a look-up gives the first field of a name, or all of them in order")
    func looksUp() {
        let fields = fields([["a", "1"], ["b", ""], ["a", "2"]])
        #expect(fields["a"] == "1")
        #expect(fields["b"] == "")
        #expect(fields["c"] == nil)
        #expect(fields.all("a") == ["1", "2"])
        #expect(fields.all("c").isEmpty)
        #expect(fields.map(\.name) == ["a", "b", "a"])
    }

    @Test("names are compared byte for byte")
    func comparesBytes() {
        #expect(fields([["caf\u{E9}", "1"]])["cafe\u{301}"] == nil)
        #expect(fields([["caf\u{E9}", "1"]]) != fields([["cafe\u{301}", "1"]]))
    }

    @Test("values do not show when fields are printed")
    func hidesValues() {
        let form = {
            var form = Form(); form.fields.append("password", "hunter2"); return form
        }()
        var dumped = ""
        dump(form, to: &dumped)
        #expect(!"\(form) \(form.fields) \(String(reflecting: form)) \(dumped)".contains("hunter2"))
    }

    @Test("one field more than the limit is refused with 413, the fields before it are kept")
    func limitsFields() throws {
        var limits = FormLimits()
        limits.maxFields = 2
        #expect(try FormFields(urlEncoded: Array("a&&b".utf8), limits: limits).count == 2)
        var fields = FormFields()
        let error = #expect(throws: FormError.self) {
            try fields.append(urlEncoded: Array("a&b&c".utf8), limits: limits)
        }
        #expect(error?.statusCode == 413)
        #expect(fields.map(\.name) == ["a", "b"])
    }
}
