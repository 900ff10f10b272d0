internal import Galleta

/// Forms must carry the token that their page was given: another site's page has none.
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
}
