internal import Galleta

/// Header fields that every answer carries: nothing of ours needs scripts, frames or content sniffing.
enum SecurityHeaders {
    private static let fields: [(HTTPField.Name, String)] = [
        (.xContentTypeOptions, "nosniff"),
        (HTTPField.Name("Referrer-Policy")!, "same-origin"),
    ]
    private static let pagePolicy =
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

    static let step = Step {
        added(to: $2($0, $1))
    } async: {
        added(to: await $2($0, $1))
    }

    private static func added(to answer: Response) -> Response {
        var response = answer
        for (name, value) in fields { response.headers[name] = value }
        if response.headers[.contentType]?.hasPrefix("text/html") == true {
            response.headers[.contentSecurityPolicy] = pagePolicy
        }
        return response
    }
}
