import Foundation
import TestSupport
import Testing

@Suite("A program of one's own with GalletaCommand")
struct ServerCommandTests {
    private let folder: TemporaryFolder
    private static let program =
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/CommandProgram"

    init() throws {
        folder = try TemporaryFolder()
    }

    private func run(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (code: Int32, output: String) {
        try ChildProcess.run(Self.program, arguments, environment: environment)
    }

    @Test("serves on its workers, by options and by variables of its own prefix, and stops when it is asked to")
    func serves() throws {
        let socket = folder.file("s.sock")
        let process = try ChildProcess(
            Self.program, ["--listen", "unix:\(socket)", "--mount", "/shop"], log: folder.file("log"),
            environment: ["SHOP_GREETING": "Hola"])
        #expect(
            eventually(within: 20) {
                (try? FastCGIClient(unix: socket, within: 0).exchange("GET", "/shop/greeting"))?.text == "Hola\n"
            }, "\(folder.read("log"))")
        let client = try FastCGIClient(unix: socket)
        #expect(try client.exchange("GET", "/shop/").text == "Visit 1\n")
        #expect(try client.exchange("GET", "/shop/later").text == "Later\n")
        #expect(process.stop() == 0)
        #expect(folder.read("log").contains("sessions are kept"))
    }

    @Test("has the messages and exit codes of galleta-server under its own name")
    func refuses() throws {
        for (arguments, environment, code, message) in [
            (["--nonsense"], [:], 64, "Unknown option '--nonsense'"),
            ([], [:], 78, "shop: --listen: it is missing, and no socket was inherited"),
            (["--listen", "nowhere"], [:], 69, "shop: --listen: \"nowhere\" is not an address"),
            (["--listen", "tcp:127.0.0.1:0"], ["SHOP_WORKERS": "0"], 78, "shop: SHOP_WORKERS: 0 is out of range"),
            (["--idle-timeout", "0s", "--check-config"], [:], 78, "shop: --idle-timeout: 0.0 seconds is not within"),
            (["--greeting", "", "--check-config"], [:], 78, "shop: --greeting: it is empty; give a word"),
            (["--greeting-path", "/", "--check-config"], [:], 78, "shop: routes: GET /"),
            (["--mount", "x", "--check-config"], [:], 78, "shop: --mount: "),
            (["--check-config"], ["SHOP_MOUNT": "x"], 78, "shop: SHOP_MOUNT: "),
            (["--control", "/x", "--check-config"], [:], 78, "shop: --control: \"/x\" is no unix socket"),
            (["--check-config"], ["SHOP_CONTROL": "unix:/nowhere/x"], 69, "shop: SHOP_CONTROL: "),
            (
                ["--control", "unix:/nowhere/x", "--listen", "unix:\(folder.file("l.sock"))"], [:], 69,
                "shop: --control: "
            ),
            (["ctl", "status"], [:], 69, "/run/shop/control.sock"),
            (["ctl", "status"], ["SHOP_CONTROL": "unix:/nowhere/c.sock"], 69, "/nowhere/c.sock"),
            (["ctl", "status", "--help"], [:], 0, "SHOP_CONTROL"),
            (["--check-config"], ["SHOP_GREETNG": "x"], 0, "did you mean SHOP_GREETING?"),
            (["--check-config"], ["GALLETA_WORKERS": "0"], 0, "the configuration is valid"),
            (["--help"], [:], 0, "--session-option <KEY=VALUE>"), (["--help"], [:], 0, "SHOP_WORKERS=8"),
        ] as [([String], [String: String], Int32, String)] {
            let result = try run(arguments, environment: environment)
            #expect(result.code == code && result.output.contains(message), "\(arguments) \(result)")
        }
    }
}
