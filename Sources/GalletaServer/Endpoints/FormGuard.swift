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
        guard try !session.isNew || isOfSession || request.pageOrigin != .own else { return }
        try check(form, session)
    }
}
