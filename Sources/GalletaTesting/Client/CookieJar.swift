/// The cookies of one client, as a browser keeps them (RFC 6265, section 5.3 and 5.4).
struct CookieJar {
    private(set) var cookies: [TestCookie] = []

    /// Takes `Set-Cookie` fields; returns why some were not taken.
    mutating func store(_ fields: [String], from origin: TestCookie.Origin) -> [String] {
        var refusals: [String] = []
        for field in fields {
            do throws(TestCookie.Refusal) {
                set(try TestCookie(setCookie: field, from: origin), at: origin.now)
            } catch {
                refusals.append(error.reason)
            }
        }
        return refusals
    }

    /// Puts a cookie in the place of the one before it; one that has ended only removes that.
    mutating func set(_ cookie: TestCookie, at now: Duration) {
        let place = cookies.firstIndex { $0.isReplaced(by: cookie) }
        let isOver = cookie.end.map { $0 <= now } == true
        switch place {
        case .some(let place) where isOver: cookies.remove(at: place)
        case .some(let place): cookies[place] = cookie
        case nil: if !isOver { cookies.append(cookie) }
        }
    }

    mutating func removeAll() {
        cookies = []
    }

    /// Forgets what has ended.
    mutating func expire(at now: Duration) {
        cookies.removeAll { $0.end.map { $0 <= now } == true }
    }

    /// The `Cookie` field of a request, those of longer paths first; nil without cookies.
    func header(for request: TestCookie.Origin) -> String? {
        let sent = cookies.enumerated().filter { $0.element.goes(with: request) }.sorted {
            ($1.element.path.utf8.count, $0.offset) < ($0.element.path.utf8.count, $1.offset)
        }
        guard !sent.isEmpty else { return nil }
        return sent.map { "\($0.element.name)=\($0.element.value)" }.joined(separator: "; ")
    }
}
