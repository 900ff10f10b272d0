import Foundation
import Testing

@testable import FastCGI

@Suite("Uploaded files")
struct UploadedFileTests {
    /// A directory that goes with the test.
    private final class Directory {
        let path: String

        init() throws {
            path = NSTemporaryDirectory() + "/galleta-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }

        deinit {
            try? FileManager.default.removeItem(atPath: path)
        }

        func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path) }
    }

    private func upload(_ content: String, filename: String = "x", threshold: Int, in directory: String) throws
        -> UploadedFile
    {
        var limits = FormLimits()
        limits.fileMemoryThreshold = threshold
        limits.temporaryDirectory = directory
        let head =
            "--b\r\nContent-Disposition: form-data; name=f; filename=\"\(filename)\"\r\nContent-Type: a/b\r\n\r\n"
        return try #require(Form.parse(multipart: "\(head)\(content)\r\n--b--", limits: limits).file("f"))
    }

    @Test(
        "a file's name has no path, no control characters and is never a directory",
        arguments: [
            ("x.txt", "x.txt"), ("/etc/passwd", "passwd"), ("../../x", "x"), ("C:\\dir\\x.txt", "x.txt"), ("a/..", ""),
            (".", ""), ("..", ""), ("a\\", ""), ("dir/", ""), ("..\\..", ""), ("a%0D%0Ab", "ab"), ("é漢.png", "é漢.png"),
            ("..%0A", ""), ("a\u{85}b", "ab"), ("\u{80}\u{9f}\u{a0}é\u{7f}漢", "\u{a0}é漢"), (".htaccess", ".htaccess"),
        ]
    )
    func filename(sent: String, kept: String) {
        let file = UploadedFile(
            head: PartHead(name: "f", filename: sent.replacing("%0D", with: "\r").replacing("%0A", with: "\n")),
            size: 0,
            content: .memory([]))
        #expect(file.filename == kept)
    }

    @Test("a file's beginning is as long as was asked for, or as the file is", arguments: [1 << 10, 0])
    func beginning(threshold: Int) throws {
        let directory = try Directory()
        let file = try upload("12345", threshold: threshold, in: directory.path)
        for (limit, text) in [(0, ""), (3, "123"), (5, "12345"), (6, "12345"), (.max, "12345")] {
            #expect(try file.bytes(upTo: limit) == Array(text.utf8))
        }
        #expect(try file.bytes() == Array("12345".utf8))
    }

    @Test("a file past the threshold is on disk without a name, one at it in memory")
    func threshold() throws {
        let directory = try Directory()
        #expect(try upload("1234", threshold: 4, in: "/nonexistent").isInMemory)
        let file = try upload("12345", threshold: 4, in: directory.path)
        #expect(!file.isInMemory)
        #expect(try directory.names().isEmpty)
        #expect(file.size == 5)
        #expect(file.contentType == "a/b")
    }

    @Test("a file is read from any offset", arguments: [0, 100])
    func reads(threshold: Int) throws {
        let directory = try Directory()
        let file = try upload("0123456789", threshold: threshold, in: directory.path)
        func read(_ count: Int, at offset: Int) throws -> String {
            var buffer = [UInt8](repeating: 0, count: count)
            let read = try buffer.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
            return String(decoding: buffer[..<read], as: UTF8.self)
        }
        #expect(try read(4, at: 0) == "0123")
        #expect(try read(4, at: 8) == "89")
        #expect(try read(4, at: 10) == "")
        #expect(try read(4, at: 1000) == "")
        #expect(try read(0, at: 0) == "")
        #expect(try file.bytes() == Array("0123456789".utf8))
    }

    @Test("a moved file has its content, its mode and one name", arguments: [0, 1 << 20], [0o600, 0o644])
    func moves(threshold: Int, permissions: Int) throws {
        let directory = try Directory()
        let content = String(repeating: "0123456789", count: 20_000)
        let file = try upload(content, threshold: threshold, in: directory.path)
        try file.move(to: directory.path + "/kept", permissions: UInt32(permissions))
        #expect(try directory.names() == ["kept"])
        #expect(try String(contentsOfFile: directory.path + "/kept", encoding: .utf8) == content)
        let attributes = try FileManager.default.attributesOfItem(atPath: directory.path + "/kept")
        #expect(attributes[.posixPermissions] as? Int == permissions)
        #expect(try file.bytes() == Array(content.utf8))
    }

    @Test("a file moves to another file system by copy")
    func movesAcross() throws {
        let directory = try Directory()
        let file = try upload("123", threshold: 0, in: "/dev/shm")
        try file.move(to: directory.path + "/kept")
        #expect(try String(contentsOfFile: directory.path + "/kept", encoding: .utf8) == "123")
    }

    @Test(
        "nothing is overwritten, and a file that could not be moved can be moved elsewhere, once", arguments: [0, 100])
    func movesOnce(threshold: Int) throws {
        let directory = try Directory()
        try "old".write(toFile: directory.path + "/taken", atomically: false, encoding: .utf8)
        try FileManager.default.createSymbolicLink(
            atPath: directory.path + "/link", withDestinationPath: directory.path + "/elsewhere")
        let file = try upload("new", threshold: threshold, in: directory.path)
        for name in ["taken", "link"] {
            let error = #expect(throws: FormError.self) { try file.move(to: directory.path + "/\(name)") }
            #expect(error?.isDestinationExisting == true)
        }
        let missing = #expect(throws: FormError.self) { try file.move(to: directory.path + "/none/kept") }
        #expect(missing?.statusCode == 500)
        #expect(missing?.isDestinationExisting == false)
        try file.move(to: directory.path + "/kept")
        #expect(throws: FormError(.alreadyMoved)) { try file.move(to: directory.path + "/again") }
        #expect(try directory.names().sorted() == ["kept", "link", "taken"])
        #expect(try String(contentsOfFile: directory.path + "/taken", encoding: .utf8) == "old")
    }
}
