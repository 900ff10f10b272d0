import GalletaCommand
import GalletaTesting
import Testing

@testable import ErrorsProgram

@Suite("The pages of errors")
struct RecipesTests {
    private func application() throws -> Application {
        let app = try Application.testing()
        try Recipes.parse([]).routes(app)
        return app
    }

    @Test(
        "are the program's own for people",
        arguments: [
            ("/recipes/9", 404, "There is no page at this address."),
            ("/recipes/x", 404, "There is no page at this address."),
            ("/nowhere", 404, "There is no page at this address."),
            ("/cellar", 403, "Back to the kitchen"),
            ("/oven", 500, "Something went wrong on the server."),
        ])
    func people(path: String, status: Int, words: String) throws {
        try application().test { client throws in
            let reply = try client.get(path, headers: [.accept: "text/html"])
            #expect(reply.status.code == status && reply.text.contains(words))
        }
    }

    @Test("are JSON below /api, and lines of text for other programs")
    func programs() throws {
        try application().test { client throws in
            let reply = try client.get("/api/count?guests=x")
            #expect(reply.status == .badRequest)
            #expect(reply.text == #"{"error":"the field \"guests\" has not the expected form"}"#)
            #expect(try client.get("/cellar").text.contains("403 Forbidden: The cellar is closed.\n"))
            #expect(try client.get("/").text == "Date bread\nFig tart")
            #expect(try client.get("/recipes/2").text == "Date bread")
            #expect(try client.get("/api/count?guests=7").text == #"{"tarts":2}"#)
        }
    }

    @Test("tell the client nothing of what went wrong inside, and the log all")
    func inside() throws {
        try application().test { client throws in
            let reply = try client.get("/oven")
            #expect(!reply.text.contains("900") && reply.errors.contains { $0.contains("OvenError(temperature: 900)") })
        }
    }
}
