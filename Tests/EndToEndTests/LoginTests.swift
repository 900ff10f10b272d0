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
        #expect(try client.post("/app/login", form: right + [("csrf", "x" + token.dropFirst())], header).status == 403)
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

    @Test("the cookie is Secure when nginx says HTTPS, never by a client's header")
    func secure() throws {
        let client = try server.fastCGI()
        #expect(
            try client.exchange("GET", "/app/counter", [("HTTPS", "on")])["Set-Cookie"]?.contains("; Secure") == true)
        let forged = try nginx.client().get("/app/counter", ["X-Forwarded-Proto: https", "HTTPS: on"])
        #expect(forged["Set-Cookie"]?.contains("Secure") == false)
    }
}
