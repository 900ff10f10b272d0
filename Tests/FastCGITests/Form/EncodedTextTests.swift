import Testing

@testable import FastCGI

@Suite("Encoded text of part heads")
struct EncodedTextTests {
    @Test(
        "an encoded word is decoded, and what is none stands for itself",
        arguments: [
            ("=?utf-8?Q?a?=", "a"), ("=?UTF-8?q?a_b=20c?=", "a b c"), ("=?utf-8?Q??=", ""), ("=?utf-8*en?Q?a?=", "a"),
            ("=?utf-8?B?YQ==?=", "a"), ("=?utf-8?b?YQ?=", "a"), ("=?utf-8?B?YWI=?=", "ab"), ("=?utf-8?B?YWJj?=", "abc"),
            ("=?utf-8?B??=", ""), ("=?utf-8?B?8J+NqvCfjao=?=", "🍪🍪"), ("=?iso-8859-1?Q?=E9?=", "é"),
            ("=?ISO-8859-1?B?6Q==?=", "é"),
            ("", nil), ("=?", nil), ("=??=", nil), ("=?utf-8?Q?=", nil), ("=?utf-8?Q?a", nil), ("=?utf-8?X?a?=", nil),
            ("=?utf-8?QQ?a?=", nil), ("=?utf-8?Q?a?b?=", nil), ("=?utf-8?Q?=4?=", nil), ("=?utf-8?Q?=zz?=", nil),
            ("=?utf-8?Q?=FF?=", nil), ("=?utf-16?Q?a?=", nil), ("=??Q?a?=", nil), ("=?utf-8?B?Y?=", nil),
            ("=?utf-8?B?YQ=?=", nil), ("=?utf-8?B?YQ===?=", nil), ("=?utf-8?B?Y Q?=", nil), ("=?utf-8?B?/w==?=", nil),
            ("=?utf-8?Q?a?= ", nil), (" =?utf-8?Q?a?=", nil),
        ] as [(String, String?)]
    )
    func words(text: String, expected: String?) {
        #expect(EncodedText.word(Array(text.utf8)) == expected)
    }

    @Test(
        "an extended value names its charset and is in strict percent-encoding",
        arguments: [
            ("UTF-8''a", "a"), ("utf-8'en-GB'a%20b", "a b"), ("UTF-8''", ""), ("UTF-8''%c3%A9", "é"),
            ("utf8''a+b", "a+b"),
            ("UTF-8''é", "é"), ("ISO-8859-1''%A3", "£"), ("UTF-8''a'b'c", "a'b'c"),
            ("", nil), ("a", nil), ("UTF-8", nil), ("UTF-8'a", nil), ("''a", nil), ("utf-7''a", nil), ("UTF-8''%", nil),
            ("UTF-8''%4", nil), ("UTF-8''%4g", nil), ("UTF-8''%C3", nil), ("'UTF-8'''a", nil),
        ] as [(String, String?)]
    )
    func extended(text: String, expected: String?) {
        #expect(EncodedText.extended(Array(text.utf8)) == expected)
    }
}
