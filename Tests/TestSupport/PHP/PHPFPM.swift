import Foundation

/// A real php-fpm on a unix socket, with pages of the test's own and sessions in a folder of its own.
///
/// It runs as the tests' user: so do the servers that share its sessions.
public final class PHPFPM: Sendable {
    /// The newest that is installed.
    public static let program: String? = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/sbin")) ?? []
        return names.filter { $0.hasPrefix("php-fpm") }.sorted().last.map { "/usr/sbin/" + $0 }
    }()

    public let folder: TemporaryFolder
    public let process: ChildProcess
    private let socket: String

    /// Where its sessions are.
    public var savePath: String { folder.file("sessions") }
    /// A file with its settings, as an operator has one.
    public var ini: String { folder.file("php.ini") }

    /// - Parameters:
    ///   - pages: PHP by file name.
    ///   - settings: Lines of its php.ini that come after, and so count.
    ///   - environment: What its pages see by `getenv`.
    ///   - children: Its processes.
    public init(
        pages: [String: String], settings: [String] = [], environment: [String: String] = [:], children: Int = 12
    ) throws {
        guard let program = Self.program else { throw TestFailure(description: "there is no php-fpm") }
        folder = try TemporaryFolder()
        socket = folder.file("php.sock")
        try FileManager.default.createDirectory(atPath: folder.file("sessions"), withIntermediateDirectories: false)
        for (name, code) in pages {
            try ("<?php\n" + code).write(toFile: folder.file(name), atomically: false, encoding: .utf8)
        }
        try """
        session.save_handler = files
        session.save_path = "\(folder.file("sessions"))"
        session.gc_probability = 0
        session.use_strict_mode = 1
        session.gc_maxlifetime = 1440
        \(settings.joined(separator: "\n"))

        """.write(toFile: folder.file("php.ini"), atomically: false, encoding: .utf8)
        let identity = getuid() == 0 ? ["user = root", "group = root"] : []
        let lines =
            ["[global]", "error_log = \(folder.file("fpm.log"))", "daemonize = no", "[shop]"] + identity + [
                "listen = \(socket)", "pm = static", "pm.max_children = \(children)",
                "catch_workers_output = yes",
            ] + environment.map { "env[\($0)] = \($1)" }
        try (lines.joined(separator: "\n") + "\n").write(
            toFile: folder.file("fpm.conf"), atomically: false, encoding: .utf8)
        let asRoot = getuid() == 0 ? ["--allow-to-run-as-root"] : []
        process = try ChildProcess(
            program,
            ["--nodaemonize", "--fpm-config", folder.file("fpm.conf"), "--php-ini", folder.file("php.ini")] + asRoot,
            log: folder.file("log"))
        let path = socket
        guard eventually(within: 20, { (try? FastCGIClient(unix: path, within: 0)) != nil }) else {
            throw TestFailure(description: "php-fpm does not answer: \(process.output)")
        }
    }

    /// Its processes that run pages.
    public var workers: [Int32] {
        let pid = process.pid
        let text = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
        return text.split(separator: " ").compactMap { Int32($0) }
    }

    /// Asks for a page.
    public func get(_ page: String, query: String = "", cookie: String? = nil) throws -> FastCGIReply {
        let parameters = [
            ("SCRIPT_FILENAME", folder.file(page)), ("QUERY_STRING", query), ("SERVER_PROTOCOL", "HTTP/1.1"),
            ("GATEWAY_INTERFACE", "CGI/1.1"),
        ]
        return try FastCGIClient(unix: socket).exchange(
            "GET", "/\(page)", keep: false, parameters + (cookie.map { [("HTTP_COOKIE", $0)] } ?? []))
    }
}
