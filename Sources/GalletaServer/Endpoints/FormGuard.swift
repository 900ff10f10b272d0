internal import Galleta
internal import HTTPTypes

/// Forms must carry the token that their page was given: another site's page has none.
///
/// The log-in form alone can do without one where there is no session to keep it in: then the browser's word counts that
/// the form stood on a page of this site.
enum FormGuard {
    /// Name of the hidden field.
    static let field: ByteString = "csrf"

    /// The token is missing or not this session's.
    struct StaleForm: Error, HTTPStatusError {
        let status = HTTPResponse.Status.forbidden

        /// What happened.
        func message(for request: Request) -> String {
            guard request.header(.cookie) != nil else {
                return "This form came without a cookie, so it may be another site's. Nothing was done. "
                    + "Allow cookies for this site, and load the page again."
            }
            return
                "This form is out of date: the session that its page belonged to has ended or changed. Nothing was done."
        }

        /// What happened, and the page again: with a fresh token it works.
        func page(for request: Request) -> Response {
            HTTPError(
                status, message(for: request),
                link: HTTPError.Link("Load the page again", to: request.mount + "/")
            ).response(to: request)
        }
    }

    /// - Throws: ``StaleForm``.
    static func check(_ form: Form, _ session: Session) throws {
        guard try session.verifyCSRF(form.fields[field]) else { throw StaleForm() }
    }

    /// For the log-in: in a full store an anonymous session may not begin, or have ended before its form comes back, and
    /// nobody must be locked out by that.
    ///
    /// - Throws: ``StaleForm``.
    static func checkLogIn(_ form: Form, _ session: Session, _ request: Request) throws {
        // A token without any cookie is of a browser that takes none: it has to be told, for no log-in would last.
        let isOfSession = form.fields[field] != nil && request.header(.cookie) == nil
        guard try !session.isNew || isOfSession || !isFromThisSite(request) else { return }
        try check(form, session)
    }

    private static let fetchSite = HTTPField.Name("Sec-Fetch-Site")!

    private static func isFromThisSite(_ request: Request) -> Bool {
        isSameOrigin(
            fetchSites: request.headers(fetchSite).map { ByteString($0) },
            origins: request.headers(.origin).map { ByteString($0) }, scheme: request.scheme,
            host: request.parameter("HTTP_HOST") ?? "", port: request.parameter("SERVER_PORT") ?? "")
    }

    /// Whether a browser says that a page of this origin has sent the request. No page of another can make it say so.
    ///
    /// Where the port that the client used is unknown the host decides: its other ports share its cookies anyway.
    ///
    /// - Parameters:
    ///   - fetchSites: The values of `Sec-Fetch-Site` (W3C Fetch Metadata): where it is sent, it alone counts.
    ///   - origins: The values of `Origin` (RFC 6454, section 7).
    ///   - scheme: How the client has reached the web server.
    ///   - host: The `Host` that the client sent, with its port or, as some web servers pass it on, without.
    ///   - port: The web server's own.
    static func isSameOrigin(
        fetchSites: [ByteString], origins: [ByteString], scheme: String, host: String, port: String
    ) -> Bool {
        guard fetchSites.isEmpty else { return fetchSites == ["same-origin"] }
        guard !host.isEmpty else { return false }
        let names = [host, "\(host):\(port)", withoutStandardPort(host, scheme)]
        return origins.count == 1 && names.map { ByteString("\(scheme)://\($0)") }.contains(origins[0])
    }

    /// Browsers leave the scheme's own port out of an origin.
    private static func withoutStandardPort(_ host: String, _ scheme: String) -> String {
        let port = scheme == "https" ? ":443" : ":80"
        guard host.utf8.suffix(port.utf8.count).elementsEqual(port.utf8) else { return host }
        return String(Substring(host.utf8.dropLast(port.utf8.count)))
    }
}
