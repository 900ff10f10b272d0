import GalletaCommand

@main
struct Hello: ServerCommand {
    @OptionGroup var options: ServerOptions

    func routes(_ app: Application) {
        app.get("/") { _, session in
            let visits = try session.update("visits", default: 0) { visits in
                visits += 1
                return visits
            }
            return "Visit \(visits)\n"
        }
        app.get("/hello/:name") { request, _ -> HTML in
            let name = try request.pathParameters.require("name")
            return "<!doctype html><title>Hello</title><h1>Hello, \(name)!</h1>\n"
        }
        app.get("/sum") { request, _ in
            let a = try request.query.require("a", as: Int32.self)
            let b = try request.query.require("b", as: Int32.self)
            return try .json(["sum": Int(a) + Int(b)])
        }
    }
}
