import GalletaCommand

@main
struct Recipes: ServerCommand {
    @OptionGroup var options: ServerOptions

    private static let titles = [1: "Fig tart", 2: "Date bread"]

    /// Stands for what goes wrong in a program.
    struct OvenError: Error { let temperature = 900 }

    func routes(_ app: Application) {
        app.onError { error, request in
            let error = HTTPError(answering: error)
            if request.path.hasPrefix("/api/") {
                return try .json(["error": error.explanation], status: error.status)
            }
            guard request.acceptsHTML else { return nil }
            return .html(page(of: error), status: error.status)
        }
        app.get("/") { _, _ in Self.titles.values.sorted().joined(separator: "\n") }
        app.get("/recipes/:id") { request, _ in
            let id = try request.pathParameters.require("id", as: Int.self)
            return Self.titles[id]
        }
        app.get("/api/count") { request, _ in
            let guests = try request.query.require("guests", as: Int.self)
            return try .json(["tarts": guests / 4 + 1])
        }
        app.get("/cellar") { request, _ -> HTTPResponse.Status in
            let way = HTTPError.Link("Back to the kitchen", to: request.mount + "/recipes/1")
            throw HTTPError(.forbidden, "The cellar is closed.", link: way)
        }
        app.get("/oven") { _, _ -> HTTPResponse.Status in
            throw OvenError()
        }
    }
}

func page(of error: HTTPError) -> HTML {
    let way: HTML? = error.link.map { link in
        "<p><a href=\"\(link.target)\">\(link.text)</a></p>"
    }
    return """
        <!doctype html>
        <title>\(error.status.reasonPhrase)</title>
        <h1>\(error.status.reasonPhrase)</h1>
        <p>\(error.explanation)</p>
        \(way)

        """
}
