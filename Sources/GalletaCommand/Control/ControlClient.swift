internal import CPlatform
internal import GalletaPlatform
internal import Glibc

/// Asks a running server over its control socket: one FastCGI request, one answer.
struct ControlClient {
    let path: String

    struct Failure: Error {
        let message: String
    }

    struct Reply {
        let status: Int
        let body: String
    }

    /// - Parameters:
    ///   - target: `/status?full`.
    ///   - timeout: For all of it.
    func ask(_ method: String, _ target: String, within timeout: Duration = .seconds(10)) throws(Failure) -> Reply {
        let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw Failure(message: "no socket: \(String(cString: strerror(errno)))") }
        defer { close(fd) }
        guard cplatform_connect_unix(fd, path) == 0 else {
            let remedy =
                switch errno {
                case ENOENT: "no server was started with --control unix:\(path); name another with --socket"
                case ECONNREFUSED: "no server runs there any more"
                case EACCES, EPERM: "be root, or the server's user"
                default: "look who listens there"
                }
            throw Failure(message: "\(path): \(String(cString: strerror(errno))); \(remedy)")
        }
        let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
        let bytes = Self.request([
            ("REQUEST_METHOD", method), ("REQUEST_URI", target), ("QUERY_STRING", parts.count > 1 ? parts[1] : ""),
        ])
        guard send(fd, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Failure(message: "\(path): the server takes nothing; are you root, or the server's user?")
        }
        return try Self.reply(fd, by: .now.advanced(by: timeout), path)
    }

    /// BEGIN_REQUEST, PARAMS, STDIN (FastCGI 1.0, section 3.3); the connection ends with it.
    private static func request(_ parameters: [(String, String)]) -> [UInt8] {
        var pairs: [UInt8] = []
        for (name, value) in parameters {
            for count in [name.utf8.count, value.utf8.count] {
                pairs += [
                    UInt8(count >> 24) | 0x80, UInt8(count >> 16 & 0xff), UInt8(count >> 8 & 0xff), UInt8(count & 0xff),
                ]
            }
            pairs += Array(name.utf8) + Array(value.utf8)
        }
        func record(_ type: UInt8, _ content: [UInt8]) -> [UInt8] {
            [1, type, 0, 1, UInt8(content.count >> 8), UInt8(content.count & 0xff), 0, 0] + content
        }
        return record(1, [0, 1, 0, 0, 0, 0, 0, 0]) + record(4, pairs) + record(4, []) + record(5, [])
    }

    private static func reply(_ fd: Int32, by deadline: BootInstant, _ path: String) throws(Failure) -> Reply {
        var bytes: [UInt8] = []
        var output: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while true {
            var offset = 0
            while bytes.count - offset >= 8 {
                let length = Int(bytes[offset + 4]) << 8 | Int(bytes[offset + 5])
                let end = offset + 8 + length + Int(bytes[offset + 6])
                guard bytes.count >= end else { break }
                if bytes[offset + 1] == 6 { output += bytes[offset + 8..<offset + 8 + length] }
                if bytes[offset + 1] == 3 { return try parse(output, path) }
                offset = end
            }
            bytes.removeFirst(offset)
            let left = BootInstant.now.duration(to: deadline)
            var waiting = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
            guard left > .zero, poll(&waiting, 1, Int32(clamping: left.nanoseconds / 1_000_000 + 1)) > 0 else {
                throw Failure(message: "\(path): no answer in time")
            }
            let count = recv(fd, &block, block.count, 0)
            guard count > 0 else {
                throw Failure(
                    message: "\(path): the server has closed the connection; are you root, or the server's user?")
            }
            bytes += block[..<count]
        }
    }

    private static func parse(_ output: [UInt8], _ path: String) throws(Failure) -> Reply {
        let text = String(decoding: output, as: UTF8.self)
        guard let end = text.utf8.indices.first(where: { text.utf8[$0...].starts(with: "\r\n\r\n".utf8) }),
            text.hasPrefix("Status: "), let status = Int(text.dropFirst(8).prefix(3))
        else { throw Failure(message: "\(path): what came is no answer of a server") }
        return Reply(status: status, body: String(text[text.utf8.index(end, offsetBy: 4)...]))
    }
}
