import Testing

@testable import GalletaServer

@Suite struct ClientNameTests {
    @Test(arguments: [
        (nil, "unknown browser"), ("", "unknown browser"), ("curl/8.1", "curl"),
        ("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/130.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130 Safari/537.36 Edg/130.0", "Edge on Windows"),
        (String(repeating: "x", count: 100), String(repeating: "x", count: 40)),
        ("a\u{202e}b\u{2066}c\u{200f}d\u{ad}e\u{2028}f\u{0}g\u{7f}h\u{9b}i\u{e000}j\u{fffff}k", "abcdefghijk"),
        ("Caf\u{e9} 2", "Caf\u{e9} 2"), ("\u{202e}\r\n", "unknown browser"), ("  \t", "unknown browser"),
        ("a" + String(repeating: "\u{301}", count: 9_000), "a" + String(repeating: "\u{301}", count: 39)),
    ])
    func aBrowserIsNamedInAFewWords(_ userAgent: String?, _ name: String) {
        #expect(ClientName.short(userAgent) == name)
    }
}
