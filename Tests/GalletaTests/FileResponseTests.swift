import Foundation
import Galleta
import TestSupport
import Testing

@Suite("Files for clients")
struct FileResponseTests {
    private let folder: TemporaryFolder
    private let application: RunningApplication

    init() throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        try "0123456789".write(toFile: folder.file("digits.txt"), atomically: false, encoding: .utf8)
        try "".write(toFile: folder.file("empty.css"), atomically: false, encoding: .utf8)
        try "x".write(toFile: folder.file(".env"), atomically: false, encoding: .utf8)
        try FileManager.default.createDirectory(
            atPath: folder.file("sub/.well-known"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: folder.file(".well-known"), withIntermediateDirectories: true)
        try "well".write(toFile: folder.file(".well-known/x"), atomically: false, encoding: .utf8)
        try "<p>".write(toFile: folder.file("sub/index.html"), atomically: false, encoding: .utf8)
        try "ü".write(toFile: folder.file("sub/a ü%.html"), atomically: false, encoding: .utf8)
        symlink(folder.file("digits.txt"), folder.file("link.txt"))
        symlink(folder.file("sub"), folder.file("linked"))
        application = try RunningApplication(mount: "/app") { app in
            app.get("/file") { request, _ in try .file(folder.file("digits.txt"), for: request) }
            app.post("/file") { request, _ in try .file(folder.file("digits.txt"), for: request, type: "x/y") }
            app.get("/empty") { request, _ in try .file(folder.file("empty.css"), for: request) }
            app.get("/missing") { request, _ in try .file(folder.file("none"), for: request) }
            app.get("/folder") { request, _ in try .file(folder.path, for: request) }
            app.get("/handed") { request, _ in
                try .file(folder.file("digits.txt"), at: "/protected/a ü%.txt", for: request)
            }
            app.files("/static", from: folder.path, index: "index.html", maxAge: .seconds(60))
            app.files("/plain", from: folder.path)
        }
    }

    private func get(
        _ path: String, method: String = "GET", _ headers: (String, String)...
    ) throws -> FastCGIReply {
        let parameters = headers.map { ("HTTP_" + $0.uppercased().replacingOccurrences(of: "-", with: "_"), $1) }
        return try application.client().exchange(method, "/app" + path, parameters)
    }

    @Test("have their type, length, tag and date; HEAD has them without the content")
    func whole() throws {
        for method in ["GET", "HEAD"] {
            let reply = try get("/file", method: method)
            #expect(reply.status == 200 && reply.text == (method == "GET" ? "0123456789" : ""))
            #expect(reply["Content-Type"] == "text/plain; charset=utf-8" && reply["Content-Length"] == "10")
            #expect(reply["Accept-Ranges"] == "bytes" && reply["ETag"]?.hasPrefix("\"") == true)
            #expect(reply["Last-Modified"]?.hasSuffix(" GMT") == true)
        }
        #expect(try get("/missing").status == 404)
        #expect(try get("/folder").status == 404)
        #expect(try get("/empty")["Content-Type"] == "text/css; charset=utf-8")
    }

    @Test("are 304 where the client's copy is good, 412 where it wanted another")
    func conditions() throws {
        let first = try get("/file")
        let (tag, date) = (try #require(first["ETag"]), try #require(first["Last-Modified"]))
        let early = "Sun, 06 Nov 1994 08:49:37 GMT"
        for value in [tag, "W/\(tag)", "\"x\", \(tag)", "*", "W/\"a,b\" , \(tag)"] {
            let reply = try get("/file", ("If-None-Match", value))
            #expect(reply.status == 304 && reply.text.isEmpty && reply["ETag"] == tag && reply["Content-Length"] == nil)
        }
        #expect(try get("/file", ("If-None-Match", "\"x\"")).status == 200)
        // The tag alone counts where there is one.
        #expect(try get("/file", ("If-None-Match", "\"x\""), ("If-Modified-Since", date)).status == 200)
        #expect(try get("/file", ("If-Modified-Since", date)).status == 304)
        #expect(try get("/file", ("If-Modified-Since", early)).status == 200)
        #expect(try get("/file", ("If-Modified-Since", "yesterday")).status == 200)
        #expect(try get("/file", method: "POST", ("If-None-Match", tag)).status == 412)
        #expect(try get("/file", ("If-Match", tag)).status == 200)
        #expect(try get("/file", ("If-Match", "W/\(tag)")).status == 412)
        #expect(try get("/file", ("If-Match", "\"x\"")).status == 412)
        #expect(try get("/file", ("If-Unmodified-Since", early)).status == 412)
        #expect(try get("/file", ("If-Unmodified-Since", date)).status == 200)
    }

    @Test(
        "are sent in part where a range is asked for",
        arguments: [
            ("bytes=0-3", 206, "0123"), ("bytes=4-", 206, "456789"), ("bytes=-3", 206, "789"),
            ("bytes=-99", 206, "0123456789"),
            ("bytes=9-99", 206, "9"), ("bytes=5-5", 206, "5"), ("bytes=10-", 416, ""), ("bytes=-0", 416, ""),
            ("bytes=0-99999999999999999999", 206, "0123456789"), ("bytes=99999999999999999999-", 416, ""),
            ("bytes=3-2", 200, "0123456789"), ("bytes=0-1,3-4", 200, "0123456789"), ("bytes=a-b", 200, "0123456789"),
            ("bytes=-", 200, "0123456789"), ("lines=0-1", 200, "0123456789"), ("bytes=1--1", 200, "0123456789"),
        ])
    func ranges(range: String, status: Int, content: String) throws {
        let reply = try get("/file", ("Range", range))
        #expect(reply.status == status)
        if status != 416 { #expect(reply.text == content && reply["Content-Length"] == "\(content.utf8.count)") }
        if status == 206, let first = content.first {
            #expect(reply["Content-Range"]?.hasPrefix("bytes \(first)-\(content.last!)/10") == true)
        }
        if status == 416 { #expect(reply["Content-Range"] == "bytes */10") }
        #expect(try get("/file", method: "HEAD", ("Range", range)).status == 200)
    }

    @Test("are whole where the range is of another version")
    func ifRange() throws {
        let first = try get("/file")
        let (tag, date) = (try #require(first["ETag"]), try #require(first["Last-Modified"]))
        for value in [tag, date] {
            #expect(try get("/file", ("Range", "bytes=0-0"), ("If-Range", value)).status == 206)
        }
        for value in ["W/\(tag)", "\"x\"", "Sun, 06 Nov 1994 08:49:37 GMT", "x"] {
            #expect(try get("/file", ("Range", "bytes=0-0"), ("If-Range", value)).status == 200)
        }
        #expect(try get("/empty", ("Range", "bytes=0-0")).status == 416)
    }

    @Test("of a folder are there by their names, and nothing else is")
    func folders() throws {
        #expect(try get("/static/digits.txt").text == "0123456789")
        #expect(try get("/static/digits.txt")["Cache-Control"] == "public, max-age=60")
        #expect(try get("/plain/digits.txt")["Cache-Control"] == "no-cache")
        #expect(try get("/static/sub/a%20%C3%BC%25.html").text == "ü")
        #expect(try get("/static/sub/").text == "<p>")
        let redirect = try get("/static/sub")
        #expect(redirect.status == 301 && redirect["Location"] == "/app/static/sub/")
        #expect(try get("/static/.well-known/x").text == "well")
        for path in [
            "/static/", "/static/none", "/static/.env", "/static/sub/.well-known/x", "/static/digits.txt/",
            "/static/digits.txt/x", "/static/link.txt", "/static/linked/index.html", "/static/linked",
            "/static/..%2f.env",
            "/static/%2e%2e/x", "/plain/sub", "/plain/sub/", "/static/a%00b",
            "/static/" + String(repeating: "x", count: 300),
        ] {
            #expect([400, 404].contains(try get(path).status), "\(path)")
        }
        #expect(try get("/static/digits.txt", method: "POST").status == 405)
    }

    @Test("of any time have a date that HTTP can write", arguments: [-1, 0, 253_402_300_800, .max / 2])
    func dates(seconds: Int) throws {
        let times = [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)]
        // Not every file system keeps every time.
        guard utimensat(AT_FDCWD, folder.file("digits.txt"), times, 0) == 0 else { return }
        let date = try #require(try get("/file")["Last-Modified"])
        #expect(date.utf8.count == 29 && date.hasSuffix(" GMT"))
    }

    @Test(
        "are left to a web server that can send them",
        arguments: [
            ("nginx/1.22.1", "X-Accel-Redirect", "/protected/a%20%C3%BC%25.txt"),
            ("Caddy/v2", "X-Accel-Redirect", "/protected/a%20%C3%BC%25.txt"), ("Apache/2.4", "X-Sendfile", nil),
            ("lighttpd/1.4.69", "X-Sendfile", nil), ("", "", nil), ("other", "", nil),
        ] as [(String, String, String?)])
    func handedOver(software: String, field: String, value: String?) throws {
        let reply = try application.client().exchange("GET", "/app/handed", [("SERVER_SOFTWARE", software)])
        #expect(reply.status == 200 && reply["Content-Type"] == "text/plain; charset=utf-8")
        for name in ["X-Accel-Redirect", "X-Sendfile"] {
            #expect(reply[name] == (name == field ? value ?? folder.file("digits.txt") : nil))
        }
        #expect(reply.text == (field.isEmpty ? "0123456789" : ""))
    }
}
