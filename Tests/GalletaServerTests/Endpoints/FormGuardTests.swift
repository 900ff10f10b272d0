import GalletaPlatform
import Testing

@testable import GalletaServer

@Suite("The guard of forms")
struct FormGuardTests {
    @Test(
        "takes a log-in without a session from pages of this origin only, by the browser's word",
        arguments: [
            (["same-origin"], [], "http", "", "", true),
            (["same-origin"], ["https://evil.example"], "https", "a.example", "443", true),
            (["same-site"], ["https://a.example"], "https", "a.example", "443", false),
            (["cross-site"], ["https://a.example"], "https", "a.example", "443", false),
            (["none"], ["https://a.example"], "https", "a.example", "443", false),
            (["same-origin", "cross-site"], [], "https", "a.example", "443", false),
            (["Same-Origin"], [], "https", "a.example", "443", false),
            ([], [], "https", "a.example", "443", false),
            ([], ["https://a.example"], "https", "a.example", "443", true),
            ([], ["https://a.example"], "https", "a.example", "", true),
            ([], ["http://a.example"], "http", "a.example", "80", true),
            ([], ["http://a.example"], "http", "a.example:80", "80", true),
            ([], ["https://a.example"], "https", "a.example:443", "443", true),
            ([], ["http://a.example:8080"], "http", "a.example:8080", "8080", true),
            ([], ["http://a.example:8080"], "http", "a.example", "8080", true),
            ([], ["http://a.example"], "http", "a.example", "8080", true),
            ([], ["http://[::1]:8080"], "http", "[::1]", "8080", true),
            ([], ["http://a.example:81"], "http", "a.example", "80", false),
            ([], ["http://a.example:81"], "http", "a.example:80", "80", false),
            ([], ["http://a.example"], "http", "a.example:443", "443", false),
            ([], ["http://a.example"], "https", "a.example", "443", false),
            ([], ["https://b.example"], "https", "a.example", "443", false),
            ([], ["https://a.example.evil"], "https", "a.example", "443", false),
            ([], ["https://a.example", "https://a.example"], "https", "a.example", "443", false),
            ([], ["null"], "https", "a.example", "443", false),
            ([], [""], "https", "", "", false),
            ([], ["https://"], "https", "", "", false),
            ([], ["https://:443"], "https", "", "443", false),
            // Canonically equivalent is not the same.
            ([], ["https://jos\u{e9}"], "https", "jose\u{301}", "443", false),
        ] as [([ByteString], [ByteString], String, String, String, Bool)])
    func sameOrigin(
        fetchSites: [ByteString], origins: [ByteString], scheme: String, host: String, port: String, isSame: Bool
    ) {
        #expect(
            FormGuard.isSameOrigin(fetchSites: fetchSites, origins: origins, scheme: scheme, host: host, port: port)
                == isSame)
    }
}
