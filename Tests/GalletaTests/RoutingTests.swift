import Galleta
import GalletaTesting
import TestSupport
import Testing

@Suite("Routing")
struct RoutingTests {
    @Test(
        "the most precise route answers",
        arguments: [
            ("/", "root"), ("/users", "list"), ("/users/", "404"), ("/users/7", "user 7"), ("/users/new", "new"),
            ("/users/a%2Fb", "user a%2Fb"), ("/users/7/posts/9", "post 7 9"), ("/files/a/b/c", "file a/b/c"),
            ("/files", "file "),
            ("/other", "404"), ("/users/7/x", "404"), ("/slash/", "slash"), ("/slash", "404"),
            ("/users/caf%C3%A9", "user café"), ("/files/a%2fb/c/", "file a%2Fb/c"), ("/files/", "file "),
            ("/files/..%2f..%2fetc%2fpasswd", "400"), ("/files/..%5c..", "400"), ("/files/x/../../users", "list"),
            ("/slash/x/../", "slash"), ("/slash/.", "404"), ("/slash/x/..", "404"), ("/users/new/.", "404"),
            ("/users/7/.", "404"), ("/files/a/.", "file a"), ("/users/..", "root"), ("/.", "root"),
            ("/users/100%25", "user 100%"), ("/users/%252F", "user %252F"),
        ]
    )
    func precision(path: String, expected: String) throws {
        let client = try testClient { app in
            app.get("/files/*") { request, _ in "file \(request.pathParameters["*"] ?? "-")" }
            app.get("/users/:id") { request, _ in "user \(request.pathParameters["id"] ?? "-")" }
            app.get("/users/new") { _, _ in "new" }
            app.get("/users") { _, _ in "list" }
            app.get("/users/:id/posts/:post") { request, _ in
                "post \(request.pathParameters["id"] ?? "-") \(request.pathParameters["post"] ?? "-")"
            }
            app.get("/slash/") { _, _ in "slash" }
            app.get("/") { _, _ in "root" }
        }
        let reply = try client.get(path)
        #expect(reply.status == 200 ? reply.text == expected : "\(reply.status.code)" == expected)
    }

    // To nginx `/slash/.` is `/slash/`, to Caddy `/slash`: a rule of either for just one of them must not be passed.
    @Test("a dot segment at the end reaches neither the route with a slash nor the one without")
    func dotSegmentAtTheEnd() throws {
        let client = try testClient { app in
            app.get("/slash/") { _, _ in "slash" }
            app.get("/slash") { _, _ in "none" }
            app.get("/p/:name/") { _, _ in "slash" }
            app.get("/p/:name") { _, _ in "none" }
        }
        for path in ["/slash/.", "/slash/%2e", "/slash/x/..", "/p/x/.", "/p/x/y/.%2E"] {
            #expect(try client.get(path).status == 404)
        }
        #expect(try client.get("/p/x/./").text == "slash")
        #expect(try client.get("/p/y/../x").text == "none")
    }

    @Test("a capture keeps its slashes encoded; what was meant is there on demand")
    func captures() throws {
        let client = try testClient { app in
            app.get("/:name") { request, _ in
                "\(request.pathParameters["name"] ?? "-") \(request.pathParameters.decoded("name") ?? "-")"
            }
        }
        #expect(try client.get("/a%2fb%5Cc%252F%25").text == "a%2Fb%5Cc%252F% a/b\\c%2F%")
        #expect(try client.get("/50%25").text == "50% 50%")
    }

    @Test("a step never sees a path that was not checked")
    func unroutable() throws {
        let client = try testClient(mount: "/app") { app in
            app.use { request, session, next in
                request.path == "/assets" || request.path.hasPrefix("/assets/")
                    ? .text("asset \(request.path)") : next(request, session)
            }
        }
        #expect(try client.get("/app/assets/x").text == "asset /assets/x")
        #expect(try client.get("/assets/x").status == 404)
        #expect(try client.get("/assets/../x%2Fy").status == 400)
        #expect(try client.get("/app/assets/..%2f..%2fx").status == 400)
    }

    @Test("canonically equivalent paths are different routes")
    func canonicalEquivalents() throws {
        let client = try testClient { app in
            app.get("/jos\u{e9}") { _, _ in "composed" }
            app.get("/jose\u{301}") { _, _ in "decomposed" }
            app.get("/Key") { _, _ in "key" }
            app.get("/p/jos\u{e9}/:x") { request, _ in "composed \(request.pathParameters["x"] ?? "-")" }
            app.get("/p/jose\u{301}/:x") { request, _ in "decomposed \(request.pathParameters["x"] ?? "-")" }
            app.get("/names/:e\u{301}") { request, _ in "\(request.pathParameters["\u{e9}"] ?? "-")" }
            app.get("/marks/\u{301}/:x") { request, _ in "mark \(request.pathParameters["x"] ?? "-")" }
        }
        #expect(try client.get("/jos%C3%A9").text == "composed")
        #expect(try client.get("/jose%CC%81").text == "decomposed")
        #expect(try client.get("/%E2%84%AAey").status == 404)
        #expect(try client.get("/p/jos%C3%A9/1").text == "composed 1")
        #expect(try client.get("/p/jose%CC%81/2").text == "decomposed 2")
        #expect(try client.get("/names/x").text == "-")
        #expect(try client.get("/marks/%CC%81/%CC%81").text == "mark \u{301}")
    }

    @Test("another method is 405 with Allow, OPTIONS 204, HEAD answered by GET")
    func methods() throws {
        let client = try testClient { app in
            app.get("/x") { _, _ in "get" }
            app.post("/x") { _, _ in "post" }
            app.delete("/x/:id") { _, _ in "delete" }
            app.get("/y/:id") { _, _ in "get" }
            app.post("/y/*") { _, _ in "post" }
            app.put("/y/1") { _, _ in "put" }
        }
        #expect(try client.post("/x").text == "post")
        let wrong = try client.put("/x")
        #expect(wrong.status == 405)
        #expect(wrong.headers[.allow] == "GET, HEAD, POST")
        let options = try client.send(TestRequest(.options, "/x/1"))
        #expect(options.status == 204)
        #expect(options.headers[.allow] == "DELETE")
        #expect(try client.delete("/y/1").headers[.allow] == "GET, HEAD, POST, PUT")
        #expect(try client.get("/y/1").text == "get")
        #expect(try client.post("/y/1").text == "post")
        let head = try client.head("/x")
        #expect(head.status == 200 && head.body.isEmpty && head.headers[.contentLength] == "3")
    }

    @Test("steps run in the order added, around unknown paths, too, and may answer themselves")
    func steps() throws {
        let client = try testClient { app in
            app.use { request, session, next in
                var response = next(request, session)
                response.headers.append(HTTPField.Name("X-Steps")!, "outer")
                return response
            }
            app.use { request, session, next in
                if request.path == "/closed" { return .text("closed", status: .forbidden) }
                let response = next(request, session)
                return response.status == .notFound ? .text("nothing here", status: .notFound) : response
            }
            app.get("/open") { _, _ in "open" }
        }
        for (path, text) in [("/open", "open"), ("/closed", "closed"), ("/nowhere", "nothing here")] {
            let reply = try client.get(path)
            #expect(reply.text == text)
            #expect(reply.headers[HTTPField.Name("X-Steps")!] == "outer")
        }
    }

    @Test("async handlers answer, and a closure in a main file is no main-actor closure")
    func asyncHandlers() throws {
        let client = try testClient { app in
            app.get("/async") { _, session in
                await Task.yield()
                let count = try await session.update("n", default: 0) { (n: inout Int) in
                    n += 1
                    return n
                }
                return .text("\(count)")
            }
        }
        #expect(try client.get("/async").text == "1")
        #expect(try client.get("/async").text == "2")
    }

    @Test("errors tell the client their status and the log everything")
    func errors() throws {
        struct Secret: Error { let password = "hunter2" }
        let client = try testClient { app in
            app.get("/secret") { _, _ in throw Secret() }
            app.get("/teapot") { _, _ in throw HTTPError(.conflict, "try later", headers: [.retryAfter: "7"]) }
            app.post("/form") { request, _ in "\(try request.form().fields.count)" }
        }
        let secret = try client.send(TestRequest(.get, "/secret", fastCGI: ["REQUEST_ID": "id42"]))
        #expect(secret.status == 500)
        #expect(secret.text == "500 Internal Server Error\n")
        #expect(secret.errors.count == 1 && secret.errors[0].contains("hunter2"))
        let conflict = try client.get("/teapot")
        #expect(conflict.status == 409)
        #expect(conflict.text == "409 Conflict: try later\n")
        #expect(conflict.headers[.retryAfter] == "7")
        #expect(try client.post("/form", content: .bytes([1], type: nil)).status == 415)
    }

    @Test("an Authorizer request goes to the authorizer; without one it is refused")
    func authorizer() throws {
        func ask(_ client: TestClient, _ path: String) throws -> TestReply {
            var request = TestRequest(.get, path)
            request.role = .authorizer
            return try client.send(request)
        }
        let open = try testClient { app in
            app.authorize { request, _ in
                request.path == "/allowed"
                    ? Response(headers: [HTTPField.Name("Variable-USER")!: "ada"]) : Response(status: .unauthorized)
            }
        }
        let allowed = try ask(open, "/allowed")
        #expect(allowed.status == 200)
        #expect(allowed.headers[HTTPField.Name("Variable-USER")!] == "ada")
        #expect(try ask(open, "/other").status == 401)
        let closed = try testClient { app in app.get("/allowed") { _, _ in "ok" } }
        #expect(try ask(closed, "/allowed").status == 403)
    }

    @Test("a JSON response is written without Foundation")
    func json() throws {
        struct Answer: Encodable {
            let name = "Ada"
            let numbers = [1, 2]
            let nested = ["x": true]
        }
        let client = try testClient { app in app.get("/") { _, _ in try .json(Answer()) } }
        let reply = try client.get("/")
        #expect(reply.headers[.contentType] == "application/json")
        #expect(reply.text == #"{"name":"Ada","numbers":[1,2],"nested":{"x":true}}"#)
    }
}
