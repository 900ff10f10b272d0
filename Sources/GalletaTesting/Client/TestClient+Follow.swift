internal import HTTPTypes

extension TestClient {
    /// Goes where a redirect leads, and on until an answer is none.
    ///
    /// As browsers do (RFC 9110, section 15.4): 307 and 308 are followed with the same method and body, 303 with GET, 301 and
    /// 302 with GET where the request was a POST.
    ///
    /// - Throws: ``TestClientError`` when `reply` is no redirect, leads to another host, or to more than ten in a row.
    public func follow(_ reply: TestReply) throws -> TestReply {
        var reply = try send(next(after: reply))
        for _ in 1..<Self.mostHops where reply.isRedirect { reply = try send(next(after: reply)) }
        guard !reply.isRedirect else { throw TestClientError(.redirectLoop(limit: Self.mostHops), of: reply.request) }
        return reply
    }

    /// Goes where a redirect leads, without holding a thread of the test's.
    public func follow(_ reply: TestReply) async throws -> TestReply {
        var reply = try await send(next(after: reply))
        for _ in 1..<Self.mostHops where reply.isRedirect { reply = try await send(next(after: reply)) }
        guard !reply.isRedirect else { throw TestClientError(.redirectLoop(limit: Self.mostHops), of: reply.request) }
        return reply
    }

    private static let mostHops = 10

    private func next(after reply: TestReply) throws(TestClientError) -> TestRequest {
        guard reply.isRedirect, let location = reply.headers[.location] else {
            throw TestClientError(.notARedirect, of: reply.request, reply: reply, errors: reply.errors)
        }
        var request = reply.request
        request.isSecure = reply.isSecure
        let turnsToGet = reply.status == .seeOther || request.method == .post && reply.status.code < 303
        if turnsToGet, request.method != .head {
            request.method = .get
            request.body = nil
            request.headers[.contentType] = nil
        }
        try request.go(to: location, host: host)
        return request
    }
}

extension TestReply {
    /// Whether browsers go on to its `Location`.
    fileprivate var isRedirect: Bool {
        [301, 302, 303, 307, 308].contains(status.code) && headers[.location] != nil
    }
}

extension TestRequest {
    /// Takes the target of a URI reference (RFC 3986, section 4.1); its fragment stays with the browser.
    fileprivate mutating func go(to reference: String, host: String) throws(TestClientError) {
        let location = String(reference.prefix { $0 != "#" })
        var rest = location[...]
        let lowered = location.lowercased()
        if let scheme = ["https:", "http:"].first(where: lowered.hasPrefix) {
            isSecure = scheme == "https:"
            rest = rest.dropFirst(scheme.count)
            guard rest.hasPrefix("//") else { throw TestClientError(.badLocation(reference), of: self) }
        } else if lowered.prefix(while: { $0 != "/" && $0 != "?" }).contains(":") {
            throw TestClientError(.badLocation(reference), of: self)
        }
        if rest.hasPrefix("//") {
            let authority = rest.dropFirst(2).prefix { $0 != "/" && $0 != "?" }
            guard authority.lowercased() == host.lowercased() else {
                throw TestClientError(.foreignRedirect(reference), of: self)
            }
            rest = rest.dropFirst(2 + authority.count)
            target = rest.first == "/" ? String(rest) : "/" + rest
        } else if rest.first == "/" {
            target = String(rest)
        } else if rest.first == "?" {
            target = path + rest
        } else if !rest.isEmpty {
            target = String(path[...(path.lastIndex(of: "/") ?? path.startIndex)] + rest)
        }
    }
}
