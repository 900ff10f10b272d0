import Foundation
import Galleta
import GalletaPlatform
import GalletaTesting
import MemorySessions
import TestSupport
import Testing

@Suite("Groups of routes")
struct RouteGroupTests {
    private static func mark(_ name: String) -> Step {
        Step { request, session, next in
            var response = next(request, session)
            response.headers[.via] = name + " " + (response.headers[.via] ?? "-")
            return response
        }
    }

    @Test("have their prefix, and their steps inside those around, whenever these were added")
    func steps() throws {
        let application = try RunningApplication { app in
            app.group("/a/:id") { outer in
                outer.get("/x", steps: [Self.mark("route")]) { request, _ in "x \(request.pathParameters["id"]!)" }
                outer.get("/") { _, _ in "root" }
                outer.group("/b/") { inner in
                    inner.use(Self.mark("inner"))
                    inner.get("/y") { _, _ in "y" }
                    inner.get("") { _, _ in "b" }
                }
                outer.use { request, session, next in
                    #expect(request.pathParameters["id"] == "7")
                    var response = next(request, session)
                    response.headers[.via] = "outer " + (response.headers[.via] ?? "-")
                    return response
                }
            }
            app.use(Self.mark("first"), Self.mark("second"))
        }
        let client = try application.client()
        for (path, text, via) in [
            ("/a/7/x", "x 7", "first second outer route -"), ("/a/7", "root", "first second outer -"),
            ("/a/7/b/y", "y", "first second outer inner -"), ("/a/7/b", "b", "first second outer inner -"),
        ] {
            let reply = try client.exchange("GET", path)
            #expect(reply.text == text && reply["Via"] == via)
        }
        // No route: only what is around all.
        let missing = try client.exchange("GET", "/a/7/none")
        #expect(missing.status == 404 && missing["Via"] == "first second -")
    }

    @Test("async steps of one route leave the others alone")
    func asyncSteps() throws {
        let application = try RunningApplication { app in
            let slow = Step { request, session, next async in
                await Task.yield()
                var response = await next(request, session)
                response.headers[.via] = "async"
                return response
            }
            app.get("/slow", steps: [Self.mark("sync"), slow]) { _, _ in "slow" }
            app.get("/fast") { _, _ in "fast" }
        }
        let client = try application.client()
        #expect(try client.exchange("GET", "/slow")["Via"] == "sync async")
        #expect(try client.exchange("GET", "/fast")["Via"] == nil)
    }

    @Test("limit bodies, the nearest limit counts, and it may be above the server's")
    func limits() throws {
        let application = try RunningApplication(server: { $0.maxBodyBytes = 100 }) { app in
            @Sendable func count(_ request: Request, _ session: Session) throws -> String {
                "\(try request.body.collect().count)"
            }
            app.post("/default") { try count($0, $1) }
            app.group("/g") { group in
                group.maxBodyBytes = 1_000
                group.post("/group") { try count($0, $1) }
                group.post("/route", maxBodyBytes: 10) { try count($0, $1) }
                group.post("/none", maxBodyBytes: 0) { try count($0, $1) }
            }
        }
        let client = try application.client()
        for (path, limit) in [
            ("/default", 100), ("/g/group", 1_000), ("/g/route", 10), ("/g/none", 0), ("/missing", 100),
        ] {
            let taken = try client.exchange("POST", path, body: Array(String(repeating: "x", count: limit).utf8))
            #expect(path == "/missing" ? taken.status == 404 : taken.text == "\(limit)")
            #expect(
                try client.exchange("POST", path, body: Array(String(repeating: "x", count: limit + 1).utf8)).status
                    == 413)
        }
    }

    @Test("whose checks refuse keep nothing of a large body, and answer through the steps around")
    func checks() throws {
        let folder = try TemporaryFolder()
        let spool = folder.file("spool")
        try FileManager.default.createDirectory(atPath: spool, withIntermediateDirectories: false)
        let isAskedAgain = Cell<Bool>()
        let application = try RunningApplication(
            server: {
                $0.maxBodyBytes = 1 << 20
                $0.formLimits.temporaryDirectory = spool
            }
        ) { app in
            app.use(Self.mark("outer"))
            app.post("/upload", steps: [.requireUser()], maxBodyBytes: 8 << 20) { request, _ in
                "\(try request.body.collect().count)"
            }
            app.post(
                "/once",
                steps: [
                    .check { _, _ in
                        // Asked before the body, and again when all is there.
                        let isFirst = isAskedAgain.value == nil
                        isAskedAgain.set(true)
                        return isFirst ? HTTPResponse.Status.forbidden.response : nil
                    }
                ]
            ) { request, _ in "\(try request.body.collect().count)" }
        }
        let client = try application.client()
        let large = String(repeating: "x", count: 300_000)
        // Nowhere to keep it: a body that is kept is a 500. For a path without a route none is.
        try FileManager.default.removeItem(atPath: spool)
        #expect(try client.exchange("POST", "/missing", body: Array(large.utf8)).status == 413)
        let refused = try client.exchange("POST", "/upload", body: Array(large.utf8))
        #expect(refused.status == 401 && refused["Via"] == "outer -")
        #expect(try client.exchange("POST", "/upload", body: Array("small".utf8)).status == 401)
        // What was thrown away cannot be read, though the check has changed its mind: the client is to come again.
        #expect(try client.exchange("POST", "/once", body: Array(large.utf8)).status == 503)
    }

    @Test("a form of which nothing was kept is refused by who said so, though a step outside misses its token")
    func forms() throws {
        let isAskedAgain = Cell<Bool>()
        let client = try testClient { app in
            app.use(.requireCSRF())
            app.get("/token") { _, session in .text(try session.csrfToken()) }
            app.post("/sync", steps: [.requireUser()]) { _, _ in "reached" }
            app.post("/async", steps: [.requireUser()]) { _, _ async in "reached" }
            let once = Step.check { _, _ in
                let isFirst = isAskedAgain.value == nil
                isAskedAgain.set(true)
                return isFirst ? HTTPResponse.Status.conflict.response : nil
            }
            app.post("/once", steps: [once]) { _, _ in "reached" }
        }
        let token = try client.get("/token").text
        let form: FormFields = ["csrf": token, "x": String(repeating: "x", count: 300_000)]
        for path in ["/sync", "/async"] {
            let reply = try client.post(path, form: form)
            #expect(reply.status == 401 && reply.text.contains("log in first"))
        }
        // It has changed its mind: without the token the handler is not reached all the same.
        #expect(try client.post("/once", form: form).status == 503)
    }

    @Test("find the most precise route, in whatever order they were added", arguments: 0..<6)
    func order(permutation: Int) throws {
        var paths = ["/:org", "/:org/admin/*", "/:org/:a"]
        let first = paths.remove(at: permutation / 2)
        if permutation % 2 == 1 { paths.reverse() }
        let application = try RunningApplication { app in
            for path in [first] + paths { app.get(path) { _, _ in "\(path)" } }
        }
        let client = try application.client()
        #expect(try client.exchange("GET", "/acme/admin").text == "/:org/admin/*")
        #expect(try client.exchange("GET", "/acme/admin/x").text == "/:org/admin/*")
        #expect(try client.exchange("GET", "/acme/other").text == "/:org/:a")
        #expect(try client.exchange("GET", "/acme").text == "/:org")
    }

    @Test("are printed, a line for each route")
    func printed() throws {
        let app = Application(sessions: try SessionManager(provider: MemoryProvider()))
        app.get("/") { _, _ in "" }
        app.group("/admin") { admin in
            admin.use(.requireUser())
            admin.maxBodyBytes = 10
            admin.delete("/users/:id") { _, _ async in "" }
        }
        #expect(
            app.routes.description == """
                GET    /
                DELETE /admin/users/:id  1 step, async, bodies up to 10 bytes

                """)
        #expect(app.routes.map(\.path) == ["/", "/admin/users/:id"])
    }

    @Test(
        "with a route that no request can reach are refused at the start, by its name",
        arguments: [
            (["/a", "/a"], "was added before"), (["/a/:x", "/a/:y"], "was added before"),
            (["/*", "/*"], "was added before"),
            (["/a//b", "/a/b"], "was added before"), (["a"], "does not start"), (["/a/../b"], "dot segment"),
            (["/."], "dot segment"), (["/*/a"], "only for all of the end"),
            (["/w/**"], "only for all of the end"), (["/x*"], "only for all of the end"),
            (["/{id}"], "braces for nothing"),
            (["/:"], "no name"), (["/a\\b"], "backslash"),
            (["/:a/:a"], "one name"), (["/a\0"], "NUL"),
        ])
    func refused(paths: [String], reason: String) throws {
        let folder = try TemporaryFolder()
        let app = Application(sessions: try SessionManager(provider: MemoryProvider()))
        for path in paths { app.get(path) { _, _ in "" } }
        let error = #expect(throws: ConfigurationError.self) {
            try app.server(listeners: [.unix(path: folder.file("s.sock"))])
        }
        #expect(error?.field.hasPrefix("routes: GET ") == true && error?.reason.contains(reason) == true)
        // Another method, and what only looks alike, is fine.
        let fine = Application(sessions: try SessionManager(provider: MemoryProvider()))
        for path in ["/a", "/a/", "/a/:x", "/a/:x/", "/a/*", "/*"] {
            fine.get(path) { _, _ in "" }
            fine.post(path) { _, _ in "" }
        }
        _ = try fine.server(listeners: [.unix(path: folder.file("t.sock"))])
    }
}

extension HTTPResponse.Status {
    fileprivate var response: Response { Response(status: self) }
}
