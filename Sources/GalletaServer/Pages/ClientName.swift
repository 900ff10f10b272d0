internal import Galleta
internal import Glibc

/// What tells a user's browsers apart in a list: the browser's name in a few words and the network that it is in.
enum ClientName {
    // In this order: browsers name their ancestors, too.
    private static let browsers = [
        ("Edg/", "Edge"), ("OPR/", "Opera"), ("Vivaldi/", "Vivaldi"), ("Firefox/", "Firefox"),
        ("Chromium/", "Chromium"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"), ("Wget/", "Wget"),
    ]
    private static let systems = [
        ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"), ("Linux", "Linux"),
    ]

    /// "Firefox on Linux, 192.0.2.0/24": what a log-in notes of the visitor.
    static func of(_ request: Request) -> String {
        let name = short(request.header(.userAgent))
        return network(request.remoteAddress).map { "\(name), \($0)" } ?? name
    }

    /// "Firefox on Linux"; what is not known is cut short, what is missing is "unknown browser".
    static func short(_ userAgent: String?) -> String {
        guard let userAgent, !userAgent.isEmpty else { return "unknown browser" }
        let browser = browsers.first { userAgent.contains($0.0) }?.1
        let system = systems.first { userAgent.contains($0.0) }?.1
        switch (browser, system) {
        case (let browser?, let system?): return "\(browser) on \(system)"
        case (let browser?, nil): return browser
        default: return String(userAgent.prefix(40))
        }
    }

    /// The network of an address, "192.0.2.0/24" or "2001:db8:0:1::/64": the user knows the place by it, and the list
    /// need not keep where exactly the user was. Nil for what is no address.
    static func network(_ address: String) -> String? {
        var six = in6_addr()
        guard inet_pton(AF_INET6, address, &six) == 1 else {
            var four = in_addr()
            guard inet_pton(AF_INET, address, &four) == 1 else { return nil }
            return text(of: [UInt8](withUnsafeBytes(of: four) { $0.prefix(3) }), AF_INET, size: 4, bits: 24)
        }
        let bytes = withUnsafeBytes(of: six) { [UInt8]($0) }
        // An IPv4 address in the clothes of IPv6 (RFC 4291, section 2.5.5.2).
        if bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) {
            return text(of: Array(bytes[12..<15]), AF_INET, size: 4, bits: 24)
        }
        return text(of: Array(bytes.prefix(8)), AF_INET6, size: 16, bits: 64)
    }

    private static func text(of prefix: [UInt8], _ family: Int32, size: Int, bits: Int) -> String? {
        let address = prefix + [UInt8](repeating: 0, count: size - prefix.count)
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(family, address, &text, socklen_t(text.count)) != nil else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) + "/\(bits)"
    }
}
