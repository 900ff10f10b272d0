package import FastCGI
internal import HTTPTypes
internal import Sessions

extension Application {
    /// Adds a page with what the application is doing: as text, `?json`, `?html` or `?openmetrics`; `?full` lists the requests
    /// that are being answered, too, `?top` puts these on one screen.
    ///
    /// ```swift
    /// app.statusRoutes("/status", allow: ["127.0.0.1", "10.0.0.0/8"])
    /// ```
    ///
    /// It shows paths and ids of requests, never queries, users, addresses or ids of sessions. To all others it is not there
    /// (404). No session is looked at.
    ///
    /// - Parameters:
    ///   - path: Where it is, below the mount point.
    ///   - name: The application's name in it.
    ///   - allow: Who may see it: addresses and ranges, compared with the client's as the web server says it.
    public func statusRoutes(
        _ path: String = "/status", name: String = "galleta", allow: [String] = ["127.0.0.1", "::1"]
    ) {
        statusRoutes(path, name: name, allow: allow, log: .standardError)
    }

    /// As ``statusRoutes(_:name:allow:)``.
    ///
    /// - Parameter log: Where the log goes.
    package func statusRoutes(_ path: String, name: String, allow: [String], log: LogWriter) {
        let ranges = allow.map { text in
            guard let range = AddressRange(text) else {
                preconditionFailure("allow: \"\(text)\" is no address and no range, such as 10.0.0.0/8")
            }
            return range
        }
        let source = statusSource(name: name, log: log)
        get(path, touchesSession: false) { request, _ in
            guard let client = SocketAddress(host: request.remoteAddress, port: 0),
                ranges.contains(where: { $0.contains(client) })
            else { throw HTTPError(.notFound) }
            return try source.response(form: request.query)
        }
    }

    /// Adds figures to the status, made each time that it is asked for.
    package func addStatus(_ group: @escaping @Sendable () -> StatusGroup) {
        control.statusGroups.withLock { $0.append(group) }
    }

    /// What makes the status, for other ways to show it.
    package func statusSource(name: String, log: LogWriter = .standardError) -> StatusSource {
        StatusSource(name: name, control: control, sessions: sessions, log: log)
    }
}

/// Makes the status in the form that was asked for. Threading: any thread.
package struct StatusSource: Sendable {
    let name: String
    let control: ApplicationControl
    let sessions: SessionManager
    let log: LogWriter

    /// - Parameter form: Names the form, as a query does.
    /// - Throws: ``HTTPError`` of status 503 before there is a server.
    package func response(form: FormFields) throws -> Response {
        guard let status = control.status(requests: 100) else { throw HTTPError(.serviceUnavailable) }
        let report = StatusReport(
            name: name, status: status, sessions: sessions.metrics,
            log: log, more: control.statusGroups.withLock { $0 }.map { $0() })
        let isFull = form["full"] != nil
        var response: Response
        if form["html"] != nil {
            response = .html(StatusPage(report: report).html)
            response.headers[.contentSecurityPolicy] =
                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
        } else if form["json"] != nil {
            response = try .json(report.json(full: isFull))
        } else if form["openmetrics"] != nil {
            response = .bytes(Array(report.openMetrics().utf8), type: StatusReport.openMetricsType)
        } else if form["top"] != nil {
            response = .text(report.top())
        } else {
            response = .text(report.text(full: isFull))
        }
        response.headers[.cacheControl] = "no-store"
        return response
    }
}
