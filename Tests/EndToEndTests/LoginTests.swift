import Foundation
import TestSupport
import Testing

@Suite("Logging in behind nginx", .serialized)
struct LoginTests {
    private let folder: TemporaryFolder
    private let server: GalletaProcess
    private let nginx: Nginx

    init() throws {
        folder = try TemporaryFolder()
        let made = try ChildProcess.run("htpasswd", ["-cbB", folder.file("users"), "ada", "engine & co"])
        #expect(made.code == 0)
        server = try GalletaProcess(["--htpasswd", folder.file("users")])
        nginx = try Nginx(socket: server.socket)
    }

    /// The page's token, and the visitor's cookie.
    private func visit(_ client: HTTPClient, cookie: String? = nil) throws -> (token: String, cookie: String) {
        let page = try client.get("/app/", cookie.map { ["Cookie: \($0)"] } ?? [])
        #expect(page.status == 200)
        let token = page.text.components(separatedBy: "name=\"csrf\" value=\"").dropFirst().first?
            .components(separatedBy: "\"").first
        return (try #require(token), try #require(page.cookie ?? cookie))
    }

    @Test("log-in and log-out: new id, old id dead, token needed, password checked")
    func flow() throws {
        let client = try nginx.client()
        let (token, cookie) = try visit(client)
        let right = [("username", "ada"), ("password", "engine & co")]
        let header = ["Cookie: \(cookie)"]

        #expect(try client.post("/app/login", form: right, header).status == 403)
        let forged = (token.first == "x" ? "y" : "x") + token.dropFirst()
        #expect(try client.post("/app/login", form: right + [("csrf", forged)], header).status == 403)
        #expect(
            try client.post("/app/login", form: [("username", "ada"), ("password", "no"), ("csrf", token)], header)
                .status == 401)
        #expect(
            try client.post("/app/login", form: [("username", "bob"), ("password", "no"), ("csrf", token)], header)
                .status == 401)
        #expect(try client.get("/app/whoami", header).text == #"{"authenticated":false,"user":null}"#)

        let reply = try client.post("/app/login", form: right + [("csrf", token)], header)
        #expect(reply.status == 303)
        #expect(reply["Location"]?.hasSuffix("/app/") == true)
        let fresh = try #require(reply.cookie)
        #expect(fresh != cookie)
        #expect(try client.get("/app/whoami", header).text == #"{"authenticated":false,"user":null}"#)
        #expect(try client.get("/app/whoami", ["Cookie: \(fresh)"]).text == #"{"authenticated":true,"user":"ada"}"#)

        let (next, _) = try visit(client, cookie: fresh)
        // A token of before the log-in is worth nothing afterwards.
        #expect(try client.post("/app/logout", form: [("csrf", token)], ["Cookie: \(fresh)"]).status == 403)
        let out = try client.post("/app/logout", form: [("csrf", next)], ["Cookie: \(fresh)"])
        #expect(out.status == 303)
        #expect(out["Set-Cookie"]?.contains("Max-Age=0") == true)
        #expect(try client.get("/app/whoami", ["Cookie: \(fresh)"]).text == #"{"authenticated":false,"user":null}"#)
    }

    @Test("the log-in form works as multipart/form-data, too")
    func multipart() throws {
        let client = try nginx.client()
        let (token, cookie) = try visit(client)
        let fields = [("username", "ada"), ("password", "engine & co"), ("csrf", token)]
        let body =
            fields.map { "--XX\r\nContent-Disposition: form-data; name=\"\($0.0)\"\r\n\r\n\($0.1)\r\n" }.joined()
            + "--XX--\r\n"
        let reply = try client.request(
            "POST", "/app/login", ["Content-Type: multipart/form-data; boundary=XX", "Cookie: \(cookie)"],
            body: Array(body.utf8))
        #expect(reply.status == 303)
    }

    @Test("a body that is no form is 415, one that is broken 400, and the server goes on")
    func wrongForms() throws {
        let client = try nginx.client()
        #expect(try client.request("POST", "/app/login", ["Content-Type: text/plain"], body: [1]).status == 415)
        let broken = try client.request(
            "POST", "/app/login", ["Content-Type: multipart/form-data; boundary=XX"], body: Array("--XX\r\n".utf8))
        #expect(broken.status == 400)
        #expect(try client.get("/app/ping").text == "pong\n")
    }

    @Test("GET on the log-in path shows the form, and after a wrong password the user name is still in it")
    func form() throws {
        let client = try nginx.client()
        let (token, cookie) = try visit(client)
        let shown = try client.get("/app/login", ["Cookie: \(cookie)"])
        #expect(shown.status == 200)
        #expect(shown.text.contains("action=\"/app/login\""))
        let wrong = [("username", "a\"da"), ("password", "no"), ("csrf", token)]
        let page = try client.post("/app/login", form: wrong, ["Cookie: \(cookie)"])
        #expect(page.status == 401)
        #expect(page.text.contains("name=\"username\" autocomplete=\"username\""))
        #expect(page.text.contains("value=\"a&quot;da\""))
        #expect(!page.text.contains("value=\"no\""))
        let user = try logIn(client, userAgent: "a")
        #expect(try client.get("/app/login", ["Cookie: \(user)"]).status == 303)
    }

    @Test("the page's counter is counted on by POST with the token only, and shares its number with GET /counter")
    func counter() throws {
        let client = try nginx.client()
        let (token, cookie) = try visit(client)
        let header = ["Cookie: \(cookie)"]
        #expect(try client.post("/app/counter", form: [], header).status == 403)
        #expect(try client.post("/app/counter", form: [("csrf", token)], header).status == 303)
        #expect(try client.get("/app/", header).text.contains("<dt>Counter</dt><dd>1<form"))
        #expect(try client.get("/app/counter", header).text == "2\n")
    }

    @Test("the cookie is Secure when nginx says HTTPS, never by a client's header")
    func secure() throws {
        let client = try server.fastCGI()
        #expect(
            try client.exchange("GET", "/app/counter", [("HTTPS", "on")])["Set-Cookie"]?.contains("; Secure") == true)
        let forged = try nginx.client().get("/app/counter", ["X-Forwarded-Proto: https", "HTTPS: on"])
        #expect(forged["Set-Cookie"]?.contains("Secure") == false)
    }

    /// Logs ada in as a browser would; her cookie.
    private func logIn(_ client: HTTPClient, userAgent: String) throws -> String {
        let (token, cookie) = try visit(client)
        let reply = try client.post(
            "/app/login", form: [("username", "ada"), ("password", "engine & co"), ("csrf", token)],
            ["Cookie: \(cookie)", "User-Agent: \(userAgent)"])
        return try #require(reply.cookie)
    }

    @Test("the page lists the user's sessions; one is logged out there, the others everywhere else")
    func lists() throws {
        let client = try nginx.client()
        let phone = try logIn(client, userAgent: "Mozilla/5.0 (Linux; Android 14) Firefox/130.0")
        let laptop = try logIn(client, userAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0")
        let shell = try logIn(client, userAgent: "curl/8 <script>")
        let page = try client.get("/app/", ["Cookie: \(laptop)"]).text
        for name in [
            "Firefox on Android", "Firefox on Linux, 127.0.0.0/24</strong> (this browser)", "curl",
            "You are logged in.",
        ] {
            #expect(page.contains(name), "\(name) is missing")
        }
        #expect(!page.contains("<script>"))
        #expect(!page.contains(phone.dropFirst(4)) && !page.contains(shell.dropFirst(4)))

        // The message is there once.
        let again = try client.get("/app/", ["Cookie: \(laptop)"]).text
        #expect(!again.contains("You are logged in."))

        let row = try #require(again.components(separatedBy: "<li>").first { $0.contains("Android") })
        let field = { (name: String) in
            row.components(separatedBy: "name=\"\(name)\" value=\"").dropFirst().first?
                .components(separatedBy: "\"").first ?? ""
        }
        let (csrf, reference) = (field("csrf"), field("session"))
        #expect(
            try client.post("/app/sessions/end", form: [("session", reference)], ["Cookie: \(laptop)"]).status == 403)
        let end = [("csrf", csrf), ("session", reference)]
        #expect(try client.post("/app/sessions/end", form: end, ["Cookie: \(laptop)"]).status == 303)
        #expect(try client.get("/app/whoami", ["Cookie: \(phone)"]).text.contains("false"))
        #expect(try client.get("/app/whoami", ["Cookie: \(shell)"]).text.contains("true"))
        #expect(try client.get("/app/", ["Cookie: \(laptop)"]).text.contains("That session is logged out."))

        let others = try client.post("/app/sessions/end-others", form: [("csrf", csrf)], ["Cookie: \(laptop)"])
        #expect(others.status == 303)
        #expect(try client.get("/app/whoami", ["Cookie: \(shell)"]).text.contains("false"))
        #expect(try client.get("/app/whoami", ["Cookie: \(laptop)"]).text.contains("true"))
        #expect(try client.get("/app/", ["Cookie: \(laptop)"]).text.contains("Logged out of 1 other session."))
    }

    @Test("a stranger ends nobody's session by a reference")
    func foreignReference() throws {
        let client = try nginx.client()
        let mine = try logIn(client, userAgent: "a")
        let (token, cookie) = try visit(client)
        let form = [("csrf", token), ("session", "x")]
        #expect(try client.post("/app/sessions/end", form: form, ["Cookie: \(cookie)"]).status == 403)
        #expect(
            try client.post("/app/sessions/end-others", form: [("csrf", token)], ["Cookie: \(cookie)"]).status == 403)
        #expect(try client.get("/app/whoami", ["Cookie: \(mine)"]).text.contains("true"))
    }
}
