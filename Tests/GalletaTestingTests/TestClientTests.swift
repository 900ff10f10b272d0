import GalletaTesting
import Testing

@Suite("A test's client")
struct TestClientTests {
    @Test("keeps the session's cookie from one request to the next")
    func session() throws {
        let app = try Application.testing()
        app.get("/visits") { _, session in "\(try session.update("n", default: 0) { $0 += 1; return $0 })" }
        try app.test { client throws in
            #expect(try client.get("/visits").text == "1")
            #expect(try client.get("/visits").text == "2")
            #expect(try client.session?.get("n", as: Int.self) == 2)
            #expect(try client.another().get("/visits").text == "1")
        }
    }
}
