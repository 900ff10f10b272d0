internal import Galleta
internal import GalletaPlatform

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
        // The user knows the place by it, and the list need not keep where exactly the user was.
        return ClientNetwork(request.remoteAddress, sixBits: 64).name.map { "\(name), \($0)" } ?? name
    }

    private static let unknown = "unknown browser"

    /// "Firefox on Linux"; what is not known is cut short, what is missing is "unknown browser".
    static func short(_ userAgent: String?) -> String {
        guard let userAgent else { return unknown }
        let browser = browsers.first { userAgent.contains($0.0) }?.1
        let system = systems.first { userAgent.contains($0.0) }?.1
        switch (browser, system) {
        case (let browser?, let system?): return "\(browser) on \(system)"
        case (let browser?, nil): return browser
        default: return beginning(of: userAgent)
        }
    }

    /// 40 scalars, for a character may be of any number; and none that could turn or hide the words around it.
    private static func beginning(of text: String) -> String {
        var beginning = String.UnicodeScalarView()
        beginning.append(contentsOf: text.unicodeScalars.lazy.filter(isShown).prefix(40))
        return beginning.allSatisfy(\.properties.isWhitespace) ? unknown : String(beginning)
    }

    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}
