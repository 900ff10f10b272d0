public import FastCGI
internal import HTTPTypes

/// The answer to an error that a person can read: a page where the client asks for one, else a line of text.
struct ErrorPage {
    let error: HTTPError

    func response(to request: Request) -> Response {
        var response =
            request.acceptsHTML ? Response.html(html, status: error.status) : .text(text, status: error.status)
        response.headers[.vary] = "Accept"
        for field in error.headers.fields { response.headers.append(field.name, field.value) }
        return response
    }

    private var text: String {
        var text = error.description + "\n"
        if let link = error.link { text += "\(link.text): \(link.target)\n" }
        return text
    }

    private var html: HTML {
        let link: HTML? = error.link.map {
            "<p><a href=\"\($0.target)\">\($0.text)</a></p>\n"
        }
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(error.status.code) \(error.status.phrase)</title>
            <style>main { max-width: 36rem; margin: 4rem auto; padding: 0 1rem; font: 1.1rem/1.5 system-ui, sans-serif; }</style>
            </head>
            <body>
            <main>
            <h1>\(error.status.phrase)</h1>
            <p>\(error.explanation)</p>
            \(link)</main>
            </body>
            </html>

            """
    }
}

extension HTTPError {
    /// What a visitor can make of it, a sentence: the message, or else what the status means.
    public var explanation: String {
        if let message { return message }
        return switch status.code {
        case 400: "The server does not understand what was sent."
        case 401: "Please log in first."
        case 403: "This is not allowed."
        case 404: "There is no page at this address."
        case 405: "This address does not take such a request."
        case 408: "What was sent did not arrive in time. Please try again."
        case 413: "What was sent is larger than the server takes."
        case 415: "What was sent is of a kind that the server does not take here."
        case 429: "There have been too many requests. Please try again later."
        case 503: "The server cannot do this at the moment. Please try again soon."
        case 500...: "Something went wrong on the server. It is not your fault, and the server's log tells why."
        default: "The request was refused."
        }
    }
}

extension Request {
    /// Whether the client names HTML among what it takes, as browsers do for pages (RFC 9110, section 12.5.1); `*/*` alone is a
    /// program's.
    public var acceptsHTML: Bool {
        for header in headers(.accept) {
            for range in header.split(separator: ",") {
                let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
                guard let type = parts.first, type == "text/html" || type == "application/xhtml+xml" else { continue }
                let weight = parts.first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 }
                if weight ?? 1 > 0 { return true }
            }
        }
        return false
    }
}
