import Glibc
import PHPSerialization

/// What a session in one of PHP's formats takes to read, and to write again with a key changed: `HANDLER FILE N` prints
/// microseconds of each, over N of them.
///
///     decode   the bytes into a document, with all that is checked
///     values   the same, and every value made
///     change   a document into bytes, one of its values replaced
@main
struct FormatBenchmark {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let format = format(arguments[1]), let count = Int(arguments[3]), count > 0,
            let bytes = content(of: arguments[2])
        else {
            print("usage: php-formats-benchmark php|php_binary|php_serialize FILE N")
            exit(64)
        }
        let document = try PHPDocument(bytes, format: format)
        guard try document.encoded() == bytes else { fatalError("it does not come back as it was") }
        var sum = 0
        let decode = try time(count) { sum += try PHPDocument(bytes, format: format).count }
        let values = try time(count) { sum += try PHPDocument(bytes, format: format).values().count }
        let change = try time(count) {
            var copy = document
            try copy.set("user_id", to: .int(sum & 0xFFFF))
            sum += try copy.encoded().count
        }
        print(bytes.count, decode, values, change)
        if sum == 0 { exit(1) }
    }

    private static func format(_ name: String) -> PHPFormat? {
        switch name {
        case "php": .php
        case "php_binary": .phpBinary
        case "php_serialize": .phpSerialize
        default: nil
        }
    }

    /// Microseconds of one, with two digits.
    private static func time(_ count: Int, _ body: () throws -> Void) rethrows -> String {
        for _ in 0..<count / 10 { try body() }
        let start = now()
        for _ in 0..<count { try body() }
        let hundredths = (now() - start) * 100 / 1_000 / count
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    private static func content(of path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = read(descriptor, &bytes, bytes.count)
        return count >= 0 ? Array(bytes[..<count]) : nil
    }
}
