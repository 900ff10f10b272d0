import TestSupport
import Testing

/// Requests that nginx leads into the application by itself: `$request_uri` does not know of it, `$uri` does.
@Suite("Addresses behind nginx", .serialized)
struct AddressTests {
    /// The shipped configuration, with `$uri` as GALLETA_PATH and ways into the application from outside its location.
    private func nginx(_ server: GalletaProcess) throws -> Nginx {
        try Nginx(socket: server.socket) { configuration in
            var text = configuration
            let uri = "fastcgi_param REQUEST_URI       $request_uri;"
            try NginxSettings.replace(uri, with: uri + " fastcgi_param GALLETA_PATH $uri;", in: &text)
            let root = "index index.php index.html;"
            try NginxSettings.replace(
                root,
                with: root + #"""

                    rewrite ^/old/(.*)$ /app/$1 last;
                    rewrite ^/climbing/(.*)$ /app/x/../$1 last;
                    error_page 404 /app/hello;
                    """#, in: &text)
            return text
        }
    }

    @Test("a rewrite and an error page lead into the application when --address names nginx's $uri")
    func rewritten() throws {
        let server = try GalletaProcess(["--address", "GALLETA_PATH:decoded"])
        let nginx = try nginx(server)
        let client = try nginx.client()
        #expect(try client.get("/app/ping").text == "pong\n")
        #expect(try client.get("/old/ping").text == "pong\n")
        #expect(try client.get("/old/x/../%70ing?x").text == "pong\n")
        let missing = try client.get("/no/such/page")
        #expect(missing.status == 404)
        #expect(missing.text == "Hello from Galleta\n")
        // What nginx resolved is what is routed, here with an encoded slash that has become one.
        #expect(try client.get("/old/x%2F..%2Fping").text == "pong\n")
        // The log keeps what the client asked for.
        #expect(server.hasLogged("/old/ping"))
    }

    @Test("without --address it is the client's own path that counts")
    func original() throws {
        let server = try GalletaProcess()
        let nginx = try nginx(server)
        let client = try nginx.client()
        #expect(try client.get("/app/ping").text == "pong\n")
        #expect(try client.get("/old/ping").status == 404)
    }

    @Test("what nginx has decoded is never decoded again, and its question mark is no query")
    func decodedOnce() throws {
        let server = try GalletaProcess(environment: ["GALLETA_ADDRESS": "GALLETA_PATH:decoded"])
        let nginx = try nginx(server)
        let client = try nginx.client()
        for path in ["/old/%2570ing", "/app/%2570ing", "/app/ping%3Fx", "/app/ping%23x", "/app/x%252F..%252Fping"] {
            let reply = try client.get(path)
            #expect(reply.status == 404 && reply.text != "pong\n", "\(path)")
        }
        // nginx does not resolve what a rewrite has made.
        #expect(try client.get("/climbing/ping").status == 400)
    }

    @Test(
        "a configuration of nginx that lacks the parameter of --address is told so by each request, not by a wrong page"
    )
    func missing() throws {
        let server = try GalletaProcess(["--address", "GALLETA_PATH:decoded"])
        let nginx = try Nginx(socket: server.socket)
        let client = try nginx.client()
        for path in ["/app/", "/app/ping"] { #expect(try client.get(path).status == 500) }
        #expect(server.hasLogged("the parameter GALLETA_PATH is missing"))
    }

    @Test("a health checker that knows no REQUEST_URI is answered by SCRIPT_NAME and PATH_INFO")
    func healthChecker() throws {
        let server = try GalletaProcess()
        let ways = [
            [("SCRIPT_NAME", "/app/ping")], [("SCRIPT_NAME", "/app"), ("PATH_INFO", "/ping")],
            [("PATH_INFO", "/app/ping")],
        ]
        for way in ways {
            let client = try server.fastCGI()
            let parameters = FastCGIRecord.pairs([("REQUEST_METHOD", "GET")] + way)
            try client.send(
                FastCGIRecord.begin().bytes + FastCGIRecord.stream(FastCGIRecord.Kind.params, parameters)
                    + FastCGIRecord(FastCGIRecord.Kind.stdin).bytes)
            #expect(try client.reply().text == "pong\n")
        }
        #expect(server.hasLogged("/app/ping"))
    }

    @Test(
        "an address that cannot be used stops the start and names the option",
        arguments: [
            "HTTP_X_ORIGINAL_URL:raw", "GALLETA_PATH:cooked", ":decoded", "A:raw:raw", "A B", "QUERY_STRING:decoded",
        ])
    func refused(address: String) throws {
        let result = try ChildProcess.run(
            GalletaProcess.program, ["--address", address, "--check-config", "--listen", "tcp:127.0.0.1:0"])
        #expect(result.code != 0)
        #expect(result.output.contains("--address"))
    }
}
