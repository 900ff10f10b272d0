internal import FastCGI
public import HTTPTypes

/// The routes of an application, as they were added: to be printed.
///
///     GET  /            2 steps
///     POST /photos      3 steps, async, bodies up to 8388608 bytes
public struct RouteList: Sendable, Sequence, CustomStringConvertible {
    /// One route.
    public struct Element: Sendable {
        /// The method; GET answers HEAD, too.
        public let method: HTTPRequest.Method
        /// The pattern with the prefixes of its groups.
        public let path: String
        /// How many steps are around it.
        public let stepCount: Int
        /// Whether its handler may suspend.
        public let isAsync: Bool
        /// The longest body that it takes, in bytes; nil is the server's limit.
        public let maxBodyBytes: Int?
    }

    /// What the groups of an application share.
    final class Storage {
        var routes: [Route] = []
    }

    /// A route before the application serves.
    struct Route {
        let method: HTTPRequest.Method
        let path: String
        let scope: RouteGroup.Scope
        let steps: [Step]
        let maxBodyBytes: Int?
        let action: Endpoint.Action
        let touchesSession: Bool

        var allSteps: [Step] { scope.steps + steps }
        var bodyLimit: Int? { maxBodyBytes ?? scope.bodyLimit }
    }

    private let elements: [Element]

    init(_ routes: [Route]) {
        elements = routes.map { route in
            let isAsync = if case .async = route.action { true } else { false }
            return Element(
                method: route.method, path: route.path, stepCount: route.allSteps.count, isAsync: isAsync,
                maxBodyBytes: route.bodyLimit)
        }
    }

    /// Walks the routes in the order they were added.
    public func makeIterator() -> IndexingIterator<[Element]> { elements.makeIterator() }

    /// A line for each.
    public var description: String {
        let (methods, paths) = (elements.map(\.method.rawValue), elements.map(\.path))
        let (methodWidth, pathWidth) = (methods.map(\.count).max() ?? 0, paths.map(\.count).max() ?? 0)
        return elements.map { element in
            var notes: [String] = []
            if element.stepCount > 0 { notes.append("\(element.stepCount) step\(element.stepCount == 1 ? "" : "s")") }
            if element.isAsync { notes.append("async") }
            if let limit = element.maxBodyBytes { notes.append("bodies up to \(limit) bytes") }
            let line =
                Self.padded(element.method.rawValue, methodWidth) + " " + Self.padded(element.path, pathWidth) + "  "
                + notes.joined(separator: ", ")
            return line.trimmedBlanks + "\n"
        }.joined()
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: Swift.max(0, width - text.count))
    }
}
