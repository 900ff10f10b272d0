import GalletaPlatform
import Testing

@Suite("Text of peers in a log")
struct LogTextTests {
    @Test("ends no line and steers no terminal")
    func line() {
        #expect(LogText.line("plain text, é") == "plain text, é")
        #expect(LogText.line("a\r\nb\tc") == "a\\r\\nb\\tc")
        #expect(LogText.line("\u{1b}[2J\u{7f}\0\u{85}\u{9b}") == "\\x1b[2J\\x7f\\x00\\x85\\x9b")
        #expect(LogText.line("\u{2028}\u{202e}\u{2066}") == "\\u{2028}\\u{202e}\\u{2066}")
    }

    @Test("is one word where a word belongs, and not too long")
    func word() {
        #expect(LogText.clean("/a?b=%20") == "/a?b=%20")
        #expect(LogText.clean("a b\n=é") == "a?b?=??")
        #expect(LogText.clean(String(repeating: "x", count: 600)).utf8.count == 512)
    }
}
