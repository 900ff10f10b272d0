import GalletaCommand
import GalletaTesting
import Testing

@testable import FirstProgram

@Suite("Hello")
struct HelloTests {
    @Test("counts each visitor's visits")
    func visits() throws {
        let app = try Application.testing()
        try Hello.parse([]).routes(app)
        try app.test { client throws in
            #expect(try client.get("/").text == "Visit 1\n")
            #expect(try client.get("/").text == "Visit 2\n")
            #expect(try client.another().get("/").text == "Visit 1\n")
        }
    }

    @Test("greets by name, and lets no name be markup")
    func greets() throws {
        let app = try Application.testing()
        try Hello.parse([]).routes(app)
        try app.test { client throws in
            #expect(try client.get("/hello/Ada").text.contains("Hello, Ada!"))
            #expect(try client.get("/hello/%3Cb%3E").text.contains("Hello, &lt;b&gt;!"))
        }
    }

    @Test("says what is wrong with a sum")
    func sums() throws {
        let app = try Application.testing()
        try Hello.parse([]).routes(app)
        try app.test { client throws in
            #expect(try client.get("/sum?a=2&b=3").text == #"{"sum":5}"#)
            let reply = try client.get("/sum?a=2&b=x")
            #expect(reply.status == .badRequest)
            #expect(reply.text.contains("the field \"b\" has not the expected form"))
            #expect(try client.get("/sum?a=2147483647&b=2147483647").text == #"{"sum":4294967294}"#)
            #expect(try client.get("/sum?a=2&b=2147483648").status == .badRequest)
        }
    }
}
