import Foundation
import Glibc
import TestSupport
import Testing

/// What a path means to the web server and what it means here is the same, or the request is refused.
@Suite("Paths behind the four web servers", .serialized)
struct PathTests {
    private static let program =
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/PathProgram"

    private let backend: GalletaProcess

    init() throws {
        backend = try GalletaProcess { socket, _ in (Self.program, [socket]) }
        // For www-data, where root runs the tests.
        chmod(backend.socket, 0o666)
    }

    /// Rules in each web server's own words: nobody gets below `/app/secret`, or to `/app/exact`.
    private static func rules(_ kind: WebServer.Kind) -> String {
        switch kind {
        case .nginx: "location ^~ /app/secret { deny all; }\nlocation = /app/exact { deny all; }"
        case .apache:
            """
            <Location "/app/secret">
                Require all denied
            </Location>
            <LocationMatch "^/app/exact$">
                Require all denied
            </LocationMatch>
            """
        case .lighttpd:
            """
            $HTTP["url"] =~ "^/app/secret" { url.access-deny = ( "" ) }
            $HTTP["url"] == "/app/exact" { url.access-deny = ( "" ) }
            """
        case .caddy: "@denied path /app/secret /app/secret/* /app/exact\nrespond @denied 403"
        }
    }

    @Test(
        "no spelling of a path passes a rule of the web server, and no honest path breaks",
        arguments: WebServer.Kind.allCases)
    func rules(kind: WebServer.Kind) throws {
        let server = try WebServer(kind, socket: backend.socket, lines: ["rules=" + Self.rules(kind)])
        var generator = TargetGenerator(seed: 10)
        let targets = (0..<6000).map { _ in generator.next() }
        let answers = try RoutedAnswer.ask(targets, of: server, connections: 4)

        var (reached, broken): ([String], [String]) = ([], [])
        var (honest, denied, routed) = (0, 0, 0)
        for (target, answer) in zip(targets, answers) {
            let text = String(decoding: target, as: UTF8.self)
            if answer.isDenied { denied += 1 }
            if answer.route != nil { routed += 1 }
            if answer.hasPassedRule { reached.append("\(text) -> \(answer)") }
            // The web server has got no answer from here. (500 is Caddy's own, for a file's name with %00.)
            if [502, 503, 504].contains(answer.status) { broken.append("\(text) -> \(answer)") }
            guard let plain = PlainTarget(text) else { continue }
            honest += 1
            if !answer.isRight(for: plain, behind: kind) { broken.append("\(text) -> \(answer)") }
        }
        print(
            "\(kind): \(targets.count) targets, \(honest) of them honest, \(denied) denied, \(routed) routed;",
            "\(reached.count) passed a rule, \(broken.count) honest broken")
        #expect(reached.isEmpty, "\(reached.prefix(20).joined(separator: "\n"))")
        #expect(broken.isEmpty, "\(broken.prefix(20).joined(separator: "\n"))")
        // All three kinds were there to be told apart.
        #expect(honest > 2000 && denied > 300 && routed > 1000)
    }

    @Test("with Debian's options for addresses, lighttpd's rules for a beginning hold; those for a whole path do not")
    func debianLighttpd() throws {
        let server = try WebServer(.lighttpd, socket: backend.socket, lines: ["rules=" + Self.rules(.lighttpd)]) {
            $0.replacing("\"url-ctrls-reject\"", with: "\"url-normalize-required\" => \"enable\", \"url-ctrls-reject\"")
        }
        var generator = TargetGenerator(seed: 11)
        let targets = (0..<1000).map { _ in generator.next() } + [Array("/app/exact?x?y".utf8)]
        let answers = try RoutedAnswer.ask(targets, of: server, connections: 2)
        #expect(!answers.contains { $0.route?.hasPrefix("/secret") ?? false })
        #expect(answers.last?.route == "/exact")
    }

    @Test("no spelling of the log-in's address passes nginx's limit on guesses")
    func logInLimit() throws {
        let server = try WebServer(.nginx, socket: backend.socket)
        let spellings = [
            "/app/login", "/app/login?x", "//app///login", "/%61pp/log%69n", "/app/./login", "/app/x/../login",
            "/app/x/%2e%2E/login", "http://localhost/app/login", "/app/login#x", "/app/x%2Fy/../login",
            "/app/x%2f..%2flogin",
            "/app/x%2F../login", "/app/login%2F..", "/app/login/x/..", "/app/login/.", "/app/login/",
            "/app/x%5Cy/../login",
            "/app/x\\..\\login", "/app/login%5C", "/app/login;x", "/app/%2Flogin", "/app/%2e/login", "/app/%252e/login",
        ]
        let start = DispatchTime.now().uptimeNanoseconds
        let answers = try RoutedAnswer.ask(
            (0..<10).flatMap { _ in spellings.map { Array($0.utf8) } }, of: server, connections: 1)
        let seconds = Int((DispatchTime.now().uptimeNanoseconds - start) / 1_000_000_000) + 1
        // A burst of 20 after the first, then one a second.
        let admitted = answers.filter { $0.route == "/login" }.count
        #expect((1...21 + seconds).contains(admitted))
        #expect(answers.contains { $0.status == 429 })
    }
}
