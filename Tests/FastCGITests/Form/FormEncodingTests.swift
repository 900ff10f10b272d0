import Testing

@testable import FastCGI

@Suite("Form encodings")
struct FormEncodingTests {
    @Test(
        "a form's type is recognised whatever the case and the parameters",
        arguments: [
            "application/x-www-form-urlencoded", "Application/X-WWW-Form-URLEncoded ; charset=utf-8",
            "application/x-www-form-urlencoded;", "application/x-www-form-urlencoded;;x=\"a;b\"",
        ]
    )
    func urlEncoded(type: String) throws {
        #expect(try FormEncoding(contentType: type) == .urlEncoded(.utf8))
    }

    @Test(
        "the boundary is read from tokens and quoted strings",
        arguments: [
            ("multipart/form-data; boundary=abc", "abc"),
            ("MULTIPART/Form-Data;BOUNDARY=aBc", "aBc"),
            ("multipart/form-data; charset=utf-8; boundary=abc; x=y", "abc"),
            ("multipart/form-data; boundary=\"a b\"", "a b"),
            ("multipart/form-data; boundary=\"gc0pJq0M:08jU534c0p\"", "gc0pJq0M:08jU534c0p"),
            ("multipart/form-data; boundary=----=_Part_1_2.3", "----=_Part_1_2.3"),
            (
                "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
                "----WebKitFormBoundary7MA4YWxkTrZu0gW"
            ),
            ("multipart/form-data; x=\"; boundary=no\"; boundary=yes", "yes"),
            ("multipart/form-data; x=\"\\\"; boundary=no; y=\\\"\"; boundary=yes", "yes"),
            ("multipart/form-data; boundary='()+_,-./:=?", nil),
            ("multipart/form-data; boundary=\"'()+_,-./:=?\"", "'()+_,-./:=?"),
            ("multipart/form-data; boundary=*****b*", "*****b*"),
            ("multipart/form-data; boundary=\"----a!#$%&^`|~\"", "----a!#$%&^`|~"),
            (
                "multipart/form-data; boundary=" + String(repeating: "b*", count: 128),
                String(repeating: "b*", count: 128)
            ),
        ] as [(String, String?)]
    )
    func multipart(type: String, boundary: String?) throws {
        if let boundary {
            #expect(try FormEncoding(contentType: type) == .multipart(boundary: Array(boundary.utf8), .utf8))
        } else {
            #expect(throws: FormError.self) { try FormEncoding(contentType: type) }
        }
    }

    @Test(
        "a multipart type without a usable boundary is malformed",
        arguments: [
            "multipart/form-data", "multipart/form-data; boundary", "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=\"abc",
            "multipart/form-data; boundary=\"abc \"", "multipart/form-data; boundary=\"a\"b",
            "multipart/form-data; boundary=a; boundary=b", "multipart/form-data; boundary=a b",
            "multipart/form-data; boundary = a", "multipart/form-data boundary=a", "multipart/form-data, boundary=a",
            "multipart/form-data; boundary=a, multipart/form-data; boundary=b", "multipart/form-data; boundary=a@b",
            "multipart/form-data; boundary=\"a\u{1}b\"", "multipart/form-data; boundary=\"a\r\nb\"",
            "multipart/form-data; boundary=é", "multipart/form-data; boundary=" + String(repeating: "b", count: 257),
            "multipart/form-data; boundary=a" + (1...16).map { "; p\($0)=v" }.joined(),
        ]
    )
    func malformed(type: String) throws {
        let error = #expect(throws: FormError.self) { try FormEncoding(contentType: type) }
        #expect(error?.statusCode == 400)
    }

    @Test(
        "a charset is read however it is written, and holds for either kind of form",
        arguments: [
            ("utf-8", .utf8), ("UTF-8", .utf8), ("utf8", .utf8), ("\"utf-8\"", .utf8), ("'utf-8'", .utf8),
            ("\"UTF8\"", .utf8), ("us-ascii", .utf8), ("ASCII", .utf8), ("ISO-8859-1", .latin1), ("latin1", .latin1),
            ("\"iso-8859-1\"", .latin1), ("'ISO-8859-1'", .latin1),
        ] as [(String, FormCharset)]
    )
    func charsets(charset: String, expected: FormCharset) throws {
        let urlEncoded = try FormEncoding(contentType: "application/x-www-form-urlencoded; charset=\(charset)")
        #expect(urlEncoded == .urlEncoded(expected))
        let multipart = try FormEncoding(contentType: "multipart/form-data; Charset=\(charset); boundary=b")
        #expect(multipart == .multipart(boundary: Array("b".utf8), expected))
    }

    @Test(
        "another charset is unsupported, and the error says what to send",
        arguments: ["utf-16", "windows-1252", "Shift_JIS", "utf-7", "\"\"", "'", "''", "x-user-defined", "utf-8\u{e9}"]
    )
    func otherCharsets(charset: String) throws {
        for type in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"] {
            let error = #expect(throws: FormError.self) { try FormEncoding(contentType: "\(type); charset=\(charset)") }
            #expect(error?.statusCode == 415)
            #expect(error?.description.contains("UTF-8") == true)
        }
    }

    @Test(
        "any other type is unsupported",
        arguments: [
            nil, "text/plain", "application/json", "multipart/mixed; boundary=a", "multipart/form-datax; boundary=a",
        ]
    )
    func unsupported(type: String?) throws {
        let error = #expect(throws: FormError.self) { try FormEncoding(contentType: type) }
        #expect(error?.statusCode == 415)
    }
}
