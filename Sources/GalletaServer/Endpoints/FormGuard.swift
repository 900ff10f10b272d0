internal import Galleta

/// Forms must carry the token that their page was given: another site's page has none.
enum FormGuard {
    /// Name of the hidden field.
    static let field: ByteString = "csrf"

    /// The token is missing or not this session's.
    struct StaleForm: Error, HTTPStatusError {
        let status = HTTPResponse.Status.forbidden

        /// What happened, and the page again: with a fresh token it works.
        func page(for request: Request) -> Response {
            HTTPError(
                status,
                "This form is out of date: the session that its page belonged to has ended or changed. Nothing was done.",
                link: HTTPError.Link("Load the page again", to: request.mount + "/")
            ).response(to: request)
        }
    }

    /// - Throws: ``StaleForm``.
    static func check(_ form: Form, _ session: Session) throws {
        guard try session.verifyCSRF(form.fields[field]) else { throw StaleForm() }
    }
}
