import GalletaTesting
import Testing

@Suite("A test's request")
struct RequestTests {
    struct Item: Codable, Equatable {
        var name: String
        var count = 1
    }

    /// What the application sees of a request.
    private func seen(
        _ request: TestRequest, in client: (TestClient) -> Void = { _ in },
        _ look: @escaping @Sendable (Request) throws -> String
    ) throws -> String {
        let app = try Application.testing()
        app.on(request.method, "/*") { request, _ in .text(try look(request)) }
        return try app.test { browser in
            client(browser)
            return try browser.send(request).text
        }
    }

    @Test("says where it came from, as the example configurations have it")
    func ownSite() throws {
        var configuration = Server.Configuration()
        configuration.mount = try MountPoint("/app")
        let app = try Application.testing(configuration: configuration)
        app.get("/") { request, _ in
            .text("\(request.fastCGI["REQUEST_ORIGIN"] ?? "-") \(request.fastCGI["SCRIPT_NAME"] ?? "-")")
        }
        try app.test { client throws in
            #expect(try client.get("/app/").text == "http://localhost /app")
            client.isSecure = true
            client.host = "shop.example"
            #expect(try client.get("/app/").text == "https://shop.example /app")
        }
    }

    @Test("carries a form in either encoding, names twice, and any text")
    func forms() throws {
        let app = try Application.testing()
        app.post("/") { request, _ in
            let form = try request.form()
            return .text("\(form.fields.all("a")) \(form.fields["b &="] ?? "-")")
        }
        try app.test { client in
            let form: FormFields = ["a": "1", "a": "é+ %", "b &=": "x\r\ny"]
            let expected = "[\"1\", \"é+ %\"] x\r\ny"
            #expect(try client.post("/", form: form).text == expected)
            let parts = form.map { TestPart.field($0.name.string, $0.value) }
            let reply = try client.post("/", content: .multipart(parts))
            #expect(reply.text == expected)
        }
    }

    @Test("uploads files, with their names, types and bytes")
    func upload() throws {
        let app = try Application.testing()
        app.post("/photos") { request, _ in
            let form = try request.form()
            let file = try #require(form.file("photo"))
            return .text("\(form.fields["title"] ?? "-") \(file.filename) \(file.contentType ?? "-") \(file.size)")
        }
        try app.test { client in
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
            let photo = TestPart.file("photo", filename: "figs \"1\".png", type: "image/png", bytes)
            let reply = try client.post("/photos", content: .multipart([.field("title", "Figs"), photo]))
            #expect(reply.text == "Figs figs \"1\".png image/png 300000")
        }
    }

    @Test("carries JSON, and the reply is read as JSON")
    func json() throws {
        let app = try Application.testing()
        app.put("/item") { request, _ in
            var item = try request.json(as: Item.self)
            item.count += 1
            return try .json(item)
        }
        try app.test { client throws in
            #expect(
                try client.put("/item", json: Item(name: "figs")).json(as: Item.self) == Item(name: "figs", count: 2))
            #expect(try client.put("/item", json: ["name": "figs"]).status == .badRequest)
            #expect(throws: DecodingError.self) {
                try client.put("/item", json: Item(name: "figs")).json(as: [String].self)
            }
        }
    }

    @Test("carries any bytes both ways, and text that is not UTF-8 is repaired")
    func bytes() throws {
        let app = try Application.testing()
        app.post("/") { request, _ in .bytes(try request.body.collect(), type: request.contentType ?? "none") }
        try app.test { client in
            let bytes: [UInt8] = [0, 0xff, 0xfe, 0x0a, 0x0d, 0x41]
            let reply = try client.post("/", content: .bytes(bytes, type: "x/y"))
            #expect(reply.body == bytes && reply.headers[.contentType] == "x/y")
            #expect(reply.text == "\0\u{fffd}\u{fffd}\n\rA")
            let large = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0) }
            #expect(try client.post("/", content: .bytes(large)).body == large)
            #expect(try client.post("/").headers[.contentType] == "none")
        }
    }

    @Test("has its query from the path and from fields, and its path as browsers send it")
    func target() throws {
        #expect(
            try seen(TestRequest(.get, "/a b/é/%2f/50%25?x=1", query: ["y": "a&b"])) {
                "\($0.path) \($0.queryString) \($0.query["y"] ?? "-")"
            } == "/a b/é/%2F/50% x=1&y=a%26b a&b")
        #expect(try seen(TestRequest(.get, "/", query: ["q": "é"])) { $0.queryString } == "q=%C3%A9")
    }

    @Test("has header fields of its own and of its client, each value as it was given")
    func headers() throws {
        let name = HTTPField.Name("X-Tag")!
        var headers: HTTPFields = [.userAgent: "own"]
        headers.append(HTTPField(name: name, value: "1"))
        headers.append(HTTPField(name: name, value: "2"))
        let text = try seen(TestRequest(.get, "/", headers: headers)) { client in
            client.headers = [.userAgent: "client", .accept: "text/html"]
        } _: { request in
            "\(request.headers(name)) \(request.headers(.userAgent)) \(request.header(.accept) ?? "-")"
        }
        #expect(text == "[\"1\", \"2\"] [\"own\"] text/html")
    }

    @Test("comes from an address, by HTTP or HTTPS, for a host, by its own word or its client's")
    func origin() throws {
        let look: @Sendable (Request) throws -> String = {
            "\($0.remoteAddress) \($0.scheme) \($0.fastCGI["HTTP_HOST"] ?? "-")"
        }
        #expect(try seen(TestRequest(.get, "/"), look) == "192.0.2.1 http localhost")
        let client: (TestClient) -> Void = {
            $0.remoteAddress = "2001:db8::7"
            $0.isSecure = true
            $0.host = "example.org"
        }
        #expect(try seen(TestRequest(.get, "/"), in: client, look) == "2001:db8::7 https example.org")
        var request = TestRequest(.get, "/")
        request.isSecure = false
        request.remoteAddress = "198.51.100.1"
        #expect(try seen(request, in: client, look) == "198.51.100.1 http example.org")
    }

    @Test("has FastCGI parameters of its own, in the place of others, and without those it leaves out")
    func parameters() throws {
        let request = TestRequest(
            .get, "/", fastCGI: ["REMOTE_USER": "ada", "REMOTE_ADDR": "203.0.113.9", "SERVER_NAME": nil])
        let text = try seen(request) {
            "\($0.fastCGI["REMOTE_USER"] ?? "-") \($0.remoteAddress) \($0.fastCGI["SERVER_NAME"] ?? "-")"
        }
        #expect(text == "ada 203.0.113.9 -")
        try Application.testing().test { client in
            let reply = try client.send(TestRequest(.get, "/", fastCGI: ["REQUEST_URI": nil]))
            #expect(reply.status == .internalServerError)
            #expect(reply.errors.contains { $0.contains("REQUEST_URI is missing") })
        }
    }

    @Test("asks an authorizer")
    func authorizer() throws {
        let app = try Application.testing()
        app.authorize { request, _ in request.path == "/open" ? Response() : Response(status: .unauthorized) }
        try app.test { client throws in
            for (path, status) in [("/open", HTTPResponse.Status.ok), ("/closed", .unauthorized)] {
                var request = TestRequest(.get, path)
                request.role = .authorizer
                #expect(try client.send(request).status == status)
            }
        }
    }

    @Test("can be made without an application, for a function that takes one")
    func alone() throws {
        let form = try Request.test(.post, "/cart?x=1", form: ["item": "7"], headers: [.userAgent: "t"])
        #expect(form.method == .post && form.path == "/cart" && form.query["x"] == "1")
        #expect(form.header(.userAgent) == "t" && form.isCancelled == false)
        #expect(try form.form().fields["item"] == "7")
        let kept = (0..<20).map { number in Result { try Request.test(.put, "/", json: [number]) } }
        for (number, request) in kept.enumerated() {
            #expect(try request.get().json(as: [Int].self) == [number])
        }
        let large = [UInt8](repeating: 7, count: 1_000_000)
        #expect(try Request.test(.post, "/", content: .bytes(large)).body.collect() == large)
        let user = try Request.test(.get, "/users/7", pathParameters: ["id": "7"])
        #expect(user.pathParameters["id"] == "7")
        var asked = TestRequest(.get, "/")
        asked.isSecure = true
        asked.remoteAddress = "198.51.100.1"
        let secure = try Request.test(asked)
        #expect(secure.isSecure && secure.remoteAddress == "198.51.100.1")
        asked.role = .authorizer
        #expect(try Request.test(asked).role == .authorizer)
    }

    @Test("that no handler would see cannot be made alone", arguments: ["/a%00b", "/../x%2fy/%2e%2e%2f.."])
    func unusable(path: String) throws {
        #expect {
            try Request.test(.get, path)
        } throws: {
            $0 is any HTTPStatusError
        }
    }

    @Test("over the limit can be made alone, and its body is refused as in a handler")
    func tooLarge() throws {
        var configuration = Server.Configuration()
        configuration.maxBodyBytes = 10
        let request = try Request.test(
            .post, "/", content: .bytes([UInt8](repeating: 0, count: 11)), configuration: configuration)
        #expect(throws: RequestBodyError.self) { try request.body.collect() }
    }
}
