internal import FastCGI
internal import HTTPTypes

/// Finds the endpoint of a method and a path.
///
/// Literal paths are one look-up; patterns are tried in order of their precision, which is fixed when they are added, on a
/// path that is split once.
struct RouteTable: Sendable {
    private typealias Methods = [(method: HTTPRequest.Method, pattern: PathPattern, endpoint: Endpoint)]

    /// Of paths that match the same; the names of their parameters may differ by method.
    private struct PatternRoute: Sendable {
        let pattern: PathPattern
        var methods: Methods
    }

    private var literals: [ByteString: Methods] = [:]
    private var patterns: [PatternRoute] = []
    /// The most segments of a path that a pattern looks at, and one more to see that there are more.
    private var depth = 0

    enum Match {
        case endpoint(Endpoint, captures: [(name: ByteString, value: String)])
        /// The path is known, but not with this method.
        case otherMethods([String])
        case none
    }

    /// - Throws: ``PathPattern/Fault`` for a path that no request has, and for one that is there with this method.
    mutating func add(
        _ method: HTTPRequest.Method, _ path: String, _ endpoint: Endpoint
    ) throws(PathPattern.Fault) {
        let pattern = try PathPattern(path)
        if pattern.isLiteral {
            try Self.insert(method, pattern, endpoint, into: &literals[pattern.text, default: []])
        } else if let index = patterns.firstIndex(where: { $0.pattern.isSame(as: pattern) }) {
            try Self.insert(method, pattern, endpoint, into: &patterns[index].methods)
        } else {
            let place = patterns.firstIndex { pattern.isMorePrecise(than: $0.pattern) } ?? patterns.endIndex
            patterns.insert(PatternRoute(pattern: pattern, methods: [(method, pattern, endpoint)]), at: place)
            depth = max(depth, pattern.segments.count + 1)
        }
    }

    private static func insert(
        _ method: HTTPRequest.Method, _ pattern: PathPattern, _ endpoint: Endpoint, into methods: inout Methods
    ) throws(PathPattern.Fault) {
        guard !methods.contains(where: { $0.method == method }) else {
            throw PathPattern.Fault("it was added before", "leave one of the two out")
        }
        methods.append((method, pattern, endpoint))
    }

    func match(_ request: Request) -> Match {
        let path = request.routedPath
        // Whether a rule of the web server was applied depends on that slash: no route goes by it, but the root.
        let isWhole = !request.endsInDoubt || path.count == 1
        let literal = isWhole ? literals[path] : nil
        if let literal, let route = Self.route(request.method, literal) {
            return .endpoint(route.endpoint, captures: [])
        }
        var others = Set(literal?.map(\.method) ?? [])
        if !patterns.isEmpty {
            let found = path.withUnsafeBytes { bytes -> Match? in
                let path = SplitPath(bytes, limit: depth, isWhole: isWhole)
                for route in patterns where route.pattern.matches(path) {
                    if let route = Self.route(request.method, route.methods) {
                        return .endpoint(route.endpoint, captures: route.pattern.captures(path))
                    }
                    others.formUnion(route.methods.lazy.map(\.method))
                }
                return nil
            }
            if let found { return found }
        }
        guard !others.isEmpty else { return .none }
        if others.contains(.get) { others.insert(.head) }
        return .otherMethods(others.map(\.rawValue).sorted())
    }

    private static func route(_ method: HTTPRequest.Method, _ methods: Methods) -> Methods.Element? {
        if let exact = methods.first(where: { $0.method == method }) { return exact }
        // The server drops the body.
        return method == .head ? methods.first { $0.method == .get } : nil
    }
}
