import Foundation
import TestSupport
import Testing

/// The programs of the articles, and the shop, as their users start them; what they answer is tested in process.
@Suite("An example program")
struct ExampleProgramTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        // Of the password "pw", at a low cost.
        try Data("ada:$2y$05$WTnaCMBSoalgvLCwv4XmXOPSkucTI/8PS.9dvB7p08ono/IaP7O.K\n".utf8)
            .write(to: URL(fileURLWithPath: folder.file("users")))
    }

    private static func path(_ name: String) -> String {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(name).path
    }

    @Test(
        "starts with the options that are told, answers, and stops when it is asked to",
        arguments: [
            ("FirstProgram", [], "/app/hello/Ada", 200, "Hello, Ada!"),
            ("FormsProgram", ["--photos", "FOLDER"], "/app/", 200, "action=\"/app/entries\""),
            ("ErrorsProgram", [], "/app/cellar", 403, "The cellar is closed."),
            ("LogInProgram", ["--users", "FOLDER/users"], "/app/login", 200, "action=\"/app/login\""),
            (
                "Shop", ["--users", "FOLDER/users", "--files", "FOLDER", "--photos", "FOLDER"], "/app/", 200,
                "Almonds &amp; honey"
            ),
        ] as [(String, [String], String, Int, String)])
    func serves(name: String, options: [String], target: String, status: Int, text: String) throws {
        let socket = folder.file("s.sock")
        let options = options.map { $0.replacing("FOLDER", with: folder.path) }
        let process = try ChildProcess(
            Self.path(name), ["--listen", "unix:\(socket)"] + options, log: folder.file("log"))
        #expect(
            eventually(within: 20) { (try? FastCGIClient(unix: socket, within: 0)) != nil }, "\(folder.read("log"))")
        let reply = try FastCGIClient(unix: socket).exchange("GET", target)
        #expect(reply.status == status && reply.text.contains(text))
        #expect(process.stop() == 0)
    }

    @Test("refuses to start with a file of users that is not there", arguments: ["LogInProgram", "Shop"])
    func users(name: String) throws {
        let folders = name == "Shop" ? ["--files", folder.path, "--photos", folder.path] : []
        let result = try ChildProcess.run(
            Self.path(name), ["--check-config", "--users", folder.file("none")] + folders, environment: [:])
        #expect(result.code == 78 && result.output.contains(folder.file("none")))
    }
}
