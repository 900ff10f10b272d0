internal import Galleta

/// `GET /`: the visitor's session, a counter of visits, a form to log in or out, and the sessions of the user.
enum HomePage {
    private static let visits = "visits"

    static func add(to application: Application) {
        application.get("/") { request, session in
            try session.update(visits, default: 0) { (count: inout Int) in count += 1 }
            return try response(request, session)
        }
    }

    /// The page as it stands for this session.
    static func response(
        _ request: Request,
        _ session: Session,
        status: HTTPResponse.Status = .ok,
        message: String? = nil
    ) throws -> Response {
        let user = try session.user
        let page = Page(
            title: "Galleta",
            message: try message ?? Notice.take(from: session),
            facts: [
                ("You are", user ?? "not logged in"),
                ("Visits to this page", String(try session.get(visits, as: Int.self) ?? 0)),
                ("Counter", String(try session.get(Counter.key, as: Int.self) ?? 0)),
                ("Session", try session.isNew ? "began with this visit" : "began \(ago(try session.age))"),
                ("Ends in", "\(words(try session.remaining)) without a visit"),
            ],
            mount: request.mount,
            csrf: try session.csrfToken(),
            sessions: user == nil ? nil : try session.userSessions().map(row)
        )
        return .html(page.html, status: status)
    }

    private static func row(_ session: UserSession) -> Page.SessionRow {
        Page.SessionRow(
            reference: session.reference.rawValue,
            client: ClientName.short(session.client),
            created: ago(session.age),
            lastSeen: session.isCurrent ? "now" : ago(session.idle),
            isCurrent: session.isCurrent)
    }

    private static func ago(_ duration: Duration) -> String {
        duration < .seconds(60) ? "less than a minute ago" : "\(words(duration)) ago"
    }

    /// A duration in its largest whole unit.
    private static func words(_ duration: Duration) -> String {
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
