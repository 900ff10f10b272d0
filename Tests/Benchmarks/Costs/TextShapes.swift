internal import GalletaPlatform

@testable internal import FastCGI
@testable internal import Galleta

let textShapes: [Shape] = [
    Shape("HTML", "text to escape", 20_000) { size in
        let text = String(repeating: "<\"é", count: size)
        return { use(HTML.escape(text)) }
    },
    Shape("log lines", "controls", 20_000) { size in
        let text = String(repeating: "\n\u{1b}\u{202e}", count: size)
        return { use(LogText.line(text)) }
    },
    Shape("redirects", "text to encode", 20_000) { size in
        let target = "/" + String(repeating: "é?", count: size)
        return { use(try RedirectTarget(sameSite: target)) }
    },
    Shape("redirects", "escapes", 20_000) { size in
        let target = "/" + String(repeating: "%41", count: size)
        return { use(try RedirectTarget(sameSite: target)) }
    },
    accept("many types", 1000) { String(repeating: "text/plain;q=0.5,", count: $0) },
    accept("many parameters", 1000) { "text/html" + String(repeating: ";q=0", count: $0) },
    accept("only commas", 20_000) { String(repeating: ",", count: $0) },
]

/// The choice of a form for an error's answer.
private func accept(_ name: String, _ size: Int, _ header: @escaping @Sendable (Int) -> String) -> Shape {
    Shape("Accept", name, size) { size in
        let request = try request("/", fields: [("HTTP_ACCEPT", header(size))])
        return { use(ErrorPage(error: HTTPError(.notFound)).response(to: request)) }
    }
}
