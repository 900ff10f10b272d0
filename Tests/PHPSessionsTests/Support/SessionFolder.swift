import Foundation
import GalletaPlatform

@testable import PHPSessions

/// An empty folder of session files.
final class SessionFolder: Sendable {
    let path: String
    let id = PHPSessionID("0123456789abcdefghijklmnop")!

    init(in parent: String = NSTemporaryDirectory()) throws {
        path = parent + "/galleta-php-sessions-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func store(maxBytes: Int = 1_000_000, maxWaiters: Int = 100) throws -> FileStore {
        var configuration = FileStore.Configuration(savePath: path)
        configuration.maxBytes = maxBytes
        configuration.maxWaiters = maxWaiters
        return try FileStore(configuration)
    }

    var file: String { "\(path)/sess_\(id.text)" }
    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }
    var text: String? { FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } }

    func put(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: file)) }
    func removeFile() throws { try FileManager.default.removeItem(atPath: file) }

    /// The number of the file's inode.
    var inode: Int? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        return attributes?[.systemFileNumber] as? Int
    }

    func modified(_ date: Date? = nil) throws -> Date? {
        if let date { try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: file) }
        return try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date
    }
}

extension BootInstant {
    /// Far enough that only a fault gets there.
    static var patient: BootInstant { .now.advanced(by: .seconds(60)) }
    /// Long past: nobody waits.
    static var impatient: BootInstant { .now.advanced(by: .milliseconds(20)) }
}
