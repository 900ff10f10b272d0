import GalletaCommand
import GalletaTesting
import Testing

@testable import TEMPLATE

@Suite("Notes")
struct NotesTests {
    @Test("are kept for the visitor who wrote them, and for nobody else")
    func kept() throws {
        let app = try Application.testing()
        try Program.parse([]).routes(app)
        try app.test { client in
            #expect(try client.get("/").text.contains(#"name="csrf" value=""#))
            let reply = try client.post("/note", form: ["note": "figs", "csrf": client.csrfToken()])
            #expect(reply.status == .seeOther)
            #expect(try client.get("/").text.contains("<li>figs</li>"))
            #expect(try !client.another().get("/").text.contains("figs"))
        }
    }

    @Test("are refused without the token of the visitor's page")
    func guarded() throws {
        let app = try Application.testing()
        try Program.parse([]).routes(app)
        try app.test { client in
            _ = try client.get("/")
            #expect(try client.post("/note", form: ["note": "figs"]).status == .forbidden)
            #expect(try !client.get("/").text.contains("figs"))
        }
    }
}
