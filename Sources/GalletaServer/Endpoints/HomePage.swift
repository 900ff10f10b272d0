internal import Galleta
internal import Glibc

/// `GET /`: the visitor's session, a counter of visits, a form to log in or out, and the sessions of the user.
struct HomePage: Sendable {
    /// Whether there is anything to log in with.
    let canLogIn: Bool

    private static let visits: ByteString = "visits"
    /// As many sessions of a user as a page shows.
    private static let rows = 50

    func add(to application: Application) {
        application.get("/") { request, session in
            if request.method != .head {
                try session.update(Self.visits, default: 0) { (count: inout Int) in count += 1 }
            }
            return try response(request, session, message: Self.farewell(request, session))
        }
    }

    /// What leads to the page after a log-out: there is no session that a ``Notice`` could be left in.
    static let farewellQuery = "logged-out"

    /// A fixed text, and never for who is logged in: a link from elsewhere can make the page say no more than the truth.
    private static func farewell(_ request: Request, _ session: Session) throws -> String? {
        guard ByteString(request.queryString) == ByteString(farewellQuery), try session.user == nil else { return nil }
        return "You are logged out."
    }

    /// The page as it stands for this session.
    ///
    /// - Parameter userName: What the log-in form has in it.
    func response(
        _ request: Request,
        _ session: Session,
        status: HTTPResponse.Status = .ok,
        message: String? = nil,
        userName: String = ""
    ) throws -> Response {
        // First: the rest shows what there is once it has been asked for.
        let token = try Self.token(for: session)
        let page = Page(
            title: "Galleta",
            message: try message ?? Notice.take(from: session),
            facts: token == nil ? factsWithoutSession : try Self.facts(session),
            counter: token == nil ? nil : try session.get(Counter.key, as: Int.self) ?? 0,
            mount: request.mount,
            csrf: token,
            account: try account(session, userName: userName)
        )
        return .html(page.html, status: status)
    }

    /// The token of the page's forms; nil where there is no room for the session that it would begin.
    ///
    /// The page is shown all the same: a log-in has room where a visitor has none (``FormGuard/checkLogIn(_:_:_:)``).
    private static func token(for session: Session) throws -> String? {
        do {
            let token = try session.csrfToken()
            // Now, for at the commit the page would be made already, with a token that nobody keeps.
            if try session.isNew { try session.save() }
            return token
        } catch {
            guard isShortOfRoom(error), try session.isNew else { throw error }
            session.rollBack()
            return nil
        }
    }

    private static func isShortOfRoom(_ error: any Error) -> Bool {
        (error as? SessionStoreError)?.reason == .full || (error as? SessionError)?.code == .tooManySessions
    }

    private var factsWithoutSession: [(name: String, value: String)] {
        let reason = "none, for too many visitors have one"
        return [
            ("You are", "not logged in"), ("Session", canLogIn ? reason + "; you can log in all the same" : reason),
        ]
    }

    private static func facts(_ session: Session) throws -> [(name: String, value: String)] {
        [
            ("You are", try session.user.map { "\($0)" } ?? "not logged in"),
            ("Visits to this page", String(try session.get(visits, as: Int.self) ?? 0)),
            ("Session", try session.isNew ? "began with this visit" : "began \(ago(try session.age))"),
            ("Ends in", "\(words(roundedUp(try session.remaining))) without a visit"),
        ]
    }

    private func account(_ session: Session, userName: String) throws -> Page.Account {
        guard try session.user != nil else { return canLogIn ? .form(userName: userName) : .none }
        do {
            let list = try session.userSessions(limit: Self.rows)
            return .sessions(list.sessions.map(Self.row), more: list.more)
        } catch let error as SessionError where error.code == .unsupported {
            // PHP's files, say, have no lists of users.
            return .sessions([], more: 0)
        }
    }

    private static func row(_ session: UserSession) -> Page.SessionRow {
        Page.SessionRow(
            reference: session.reference.rawValue,
            client: session.client ?? "unknown browser",
            began: time(ago: session.age),
            lastSeen: session.isCurrent ? "now" : ago(session.idle),
            isCurrent: session.isCurrent)
    }

    /// "28 Nov 11:05:12 UTC": two sessions that began in one minute can be told apart.
    private static func time(ago duration: Duration) -> String {
        var moment = Glibc.time(nil) - time_t(duration.components.seconds)
        var parts = tm()
        guard gmtime_r(&moment, &parts) != nil else { return ago(duration) }
        var text = [CChar](repeating: 0, count: 40)
        let count = strftime(&text, text.count, "%e %b %H:%M:%S UTC", &parts)
        return String(decoding: text.prefix(count).drop { $0 == 0x20 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func ago(_ duration: Duration) -> String {
        duration < .seconds(60) ? "less than a minute ago" : "\(words(duration)) ago"
    }

    /// To whole minutes, below two to seconds: what has just begun to run off counts as whole.
    static func roundedUp(_ duration: Duration) -> Duration {
        let (whole, rest) = duration.components
        let seconds = whole + (rest > 0 ? 1 : 0)
        return .seconds(seconds > 119 ? (seconds + 59) / 60 * 60 : seconds)
    }

    /// A duration in its largest whole unit.
    static func words(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        let (count, unit) =
            switch seconds {
            case 172_800...: (seconds / 86_400, "day")
            case 7_200...: (seconds / 3600, "hour")
            case 120...: (seconds / 60, "minute")
            default: (seconds, "second")
            }
        return "\(count) \(unit)\(count == 1 ? "" : "s")"
    }
}
