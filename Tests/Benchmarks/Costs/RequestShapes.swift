internal import Sessions

@testable internal import FastCGI
@testable internal import Galleta

let requestShapes: [Shape] =
    [
        target("many segments", 10_000) { "/" + repeated("a/", $0) },
        target("one long segment", 20_000) { "/" + repeated("a", $0) },
        target("only slashes", 10_000) { repeated("/", $0) },
        target("only dots", 20_000) { "/" + repeated("./", $0) },
        target("up and down", 5000) { "/" + repeated("a/../", $0) },
        target("down and up again", 5000) { "/" + repeated("a/", $0) + repeated("../", $0) },
        target("encoded dots", 5000) { "/" + repeated("a/%2e%2E/", $0) },
        target("above the root", 5000) { "/" + repeated("../", $0) },
        target("only escapes", 20_000) { "/" + repeated("%41", $0) },
        target("encoded slashes", 20_000) { "/" + repeated("a%2F", $0) },
        target("text beyond ASCII", 10_000) { "/" + repeated("%C3%A9", $0) },
        target("broken escapes", 20_000) { "/%41" + repeated("%4", $0) },
        target("a long query", 200_000) { "/?" + repeated("q", $0) },
        target("a long scheme", 5000) { repeated("http:/", $0) },

        Shape("parameters", "many, read by libfcgi", 1000) { size in
            let bytes = (0..<size).flatMap { pair("HTTP_X_\($0)", "value") }
            let context = RequestContext(configuration)
            try LibraryRequest.start()
            return {
                context.reset()
                bytes.withUnsafeBytes { context.append($0) }
                try context.readParameters(atMost: .max)
            }
        },
        Shape("parameters", "64 look-ups among many", 1000) { size in
            let request = try request("/", fields: (0..<size).map { ("HTTP_X_\($0)", "value") })
            return { for number in 0..<64 { use(request.fastCGI["HTTP_X_Y\(number)"]) } }
        },
        Shape("parameters", "a repeated header", 1000) { size in
            let request = try request("/", fields: (0..<size).map { _ in ("HTTP_COOKIE", "a=b") })
            return { request.withCookieHeaders { use($0.count) } }
        },

        Shape("query fields", "many fields", 5000) { size in
            let request = try request("/?" + repeated("a=%41&", size))
            return { use(request.query) }
        },

        routes("11 patterns, many segments", 1500, patterns: { _ in 11 }, path: { repeated("/a", $0) }),
        routes("11 patterns, long segments", 5000, patterns: { _ in 11 }, path: { "/a/" + repeated("b", $0) }),
        routes("11 patterns, encoded slashes", 3000, patterns: { _ in 11 }, path: { "/a" + repeated("/a%2F", $0) }),
        // Splitting the path once a pattern would cost 64 times as much.
        routes("as many patterns as bytes", 200, patterns: { $0 / 2 + 1 }, path: { repeated("/a", $0) }),

        cookies("many of our name", 2000) { repeated("sid=x; ", $0) },
        cookies("many ids", 500) { size in
            (0..<size).map { _ in "sid=\(SessionID.random().encoded)" }.joined(separator: "; ")
        },
        cookies("one id", 1000) { repeated("sid=\(String(repeating: "A", count: 43)); ", $0) },
        cookies("only semicolons", 200_000) { repeated(";", $0) },
        cookies("only equals signs", 50_000) { repeated("=", $0) },
        cookies("only blanks", 100_000) {
            "sid=" + repeated(" ", $0) + "; sid=" + repeated("A", 43) + repeated(" ", $0)
        },
        cookies("nearly our name", 20_000) { repeated("sidsid=", $0) },
        cookies("foreign cookies", 5000) { repeated("theirs=0123456789; ", $0) },
        cookies("a long value", 200_000) { "sid=" + repeated("A", $0) },
    ]

private func repeated(_ unit: String, _ count: Int) -> String { String(repeating: unit, count: count) }

/// A request as a web server tells of it.
func request(_ uri: String, fields: [(String, String)] = []) throws -> Request {
    let context = RequestContext(configuration)
    for (name, value) in [("REQUEST_METHOD", "GET"), ("REQUEST_URI", uri)] + fields {
        pair(name, value).withUnsafeBytes { context.append($0) }
    }
    try LibraryRequest.start()
    try context.readParameters(atMost: .max)
    return try Request(context: context)
}

/// A parameter as it is sent, with lengths of four bytes each (FastCGI 1.0, section 3.4), however short.
private func pair(_ name: String, _ value: String) -> [UInt8] {
    let lengths = [name, value].flatMap { text in
        withUnsafeBytes(of: (UInt32(text.utf8.count) | 1 << 31).bigEndian) { Array($0) }
    }
    return lengths + Array(name.utf8) + Array(value.utf8)
}

private let configuration = {
    var configuration = Server.Configuration()
    configuration.maxBodyBytes = 1 << 20
    configuration.formLimits.maxFields = .max
    configuration.formLimits.maxFieldBytes = .max
    return configuration
}()

private func target(_ name: String, _ size: Int, _ uri: @escaping @Sendable (Int) -> String) -> Shape {
    Shape("request target", name, size) { size in
        let context = try request(uri(size)).inner
        return {
            let request = try Request(context: context)
            use(request.path)
            use(request.segments)
        }
    }
}

/// A path that is like every pattern and fits none.
private func routes(
    _ name: String, _ size: Int, patterns: @escaping @Sendable (Int) -> Int, path: @escaping @Sendable (Int) -> String
) -> Shape {
    Shape("routes", name, size) { size in
        var table = RouteTable()
        for number in 0..<patterns(size) {
            try table.add(.get, "/:first/\(number)/*", Endpoint(.sync { _, _ in Response.text("") }))
        }
        let request = try request(path(size))
        return { use(table.match(request)) }
    }
}

private func cookies(_ name: String, _ size: Int, _ header: @escaping @Sendable (Int) -> String) -> Shape {
    Shape("cookies", name, size) { size in
        let cookie = try SessionCookie(name: "sid")
        let header = Array(header(size).utf8)
        return {
            var candidates = SessionIDCandidates()
            header.withUnsafeBytes { candidates.collect(from: $0, named: cookie) }
            use(candidates.count)
        }
    }
}
