internal import Galleta

/// Forms must carry the token that their page was given: another site's page has none.
enum FormGuard {
    /// Name of the hidden field.
    static let field = "csrf"

    /// - Throws: 403 if the token is missing or not this session's.
    static func check(_ form: Form, _ session: Session) throws {
        guard try session.verifyCSRF(form.fields[field]) else {
            throw HTTPError(.forbidden, "this form is out of date; load the page again and repeat")
        }
    }
}
