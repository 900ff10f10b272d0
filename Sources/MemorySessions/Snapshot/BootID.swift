internal import Glibc

/// Names the time between two starts of the machine, in which its clock since boot goes on.
struct BootID: Equatable {
    let first: UInt64
    let second: UInt64

    init(_ first: UInt64, _ second: UInt64) {
        self.first = first
        self.second = second
    }

    var isKnown: Bool { first != 0 || second != 0 }

    /// The kernel's; unknown where there is no /proc.
    static let current: BootID = {
        let file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return BootID(0, 0) }
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 64)
        let count = max(0, read(file, &text, text.count))
        let digits = String(decoding: text[..<count].filter { $0 != UInt8(ascii: "-") && $0 > 0x20 }, as: UTF8.self)
        guard digits.utf8.count == 32, let first = UInt64(digits.prefix(16), radix: 16),
            let second = UInt64(digits.suffix(16), radix: 16)
        else { return BootID(0, 0) }
        return BootID(first, second)
    }()
}
