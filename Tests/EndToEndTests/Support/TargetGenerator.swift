/// Makes request targets, the same ones for the same seed: honest ones, and spellings of the kind that lead web server and
/// application apart.
struct TargetGenerator {
    private var state: UInt64
    private var isHonest = true

    init(seed: UInt64) {
        state = seed
    }

    /// The bytes of a target without blanks and control characters, which would end it.
    mutating func next() -> [UInt8] {
        // Every second one is honest. The others are odd here and there only: with more of it they would be refused for
        // reasons of all kinds, and show nothing.
        isHonest = upTo(2) == 0
        var target: [UInt8] = []
        if upTo(8) == 0 { target += pick(Self.honestOrigins, or: Self.origins) }
        target += pick(Self.honestMounts, or: Self.mounts)
        for _ in 0..<upTo(3) { target += piece() }
        if upTo(3) > 0 {
            target += isHonest || upTo(2) == 0 ? joint() : Array(Self.joints[upTo(Self.joints.count)].utf8)
            target += spelled(pick(Self.goals, or: Self.goals))
        }
        for _ in 0..<upTo(3) * upTo(2) { target += piece() }
        return target + pick(Self.honestEnds, or: Self.ends)
    }

    private mutating func piece() -> [UInt8] {
        let segment = pick(Self.honestSegments, or: Self.segments)
        return joint() + (upTo(4) == 0 ? spelled(segment) : segment)
    }

    private mutating func joint() -> [UInt8] {
        upTo(2) == 0 ? [UInt8(ascii: "/")] : pick(Self.honestJoints, or: Self.joints)
    }

    /// The same text with some of its letters encoded, in either case of the digits; sometimes encoded twice or overlong.
    private mutating func spelled(_ text: [UInt8]) -> [UInt8] {
        guard upTo(2) == 0 else { return text }
        var spelled: [UInt8] = []
        for (index, byte) in text.enumerated() {
            // Not what is encoded already.
            let isEscape = text[max(0, index - 2)...index].contains(UInt8(ascii: "%"))
            guard byte < 0x80, byte > 0x20, !isEscape, upTo(4) == 0 else {
                spelled.append(byte)
                continue
            }
            let digits = hex(byte)
            switch isHonest ? 3 : upTo(12) {
            case 0: spelled += Array("%25".utf8) + digits
            case 1: spelled += Array("%".utf8) + hex(0xc0 | byte >> 6) + Array("%".utf8) + hex(0x80 | byte & 0x3f)
            case 2: spelled.append(byte ^ 0x20)
            default: spelled += Array("%".utf8) + digits
            }
        }
        return spelled.filter { $0 > 0x20 && $0 != 0x7f }
    }

    private mutating func hex(_ byte: UInt8) -> [UInt8] {
        let text = (byte < 16 ? "0" : "") + String(byte, radix: 16)
        return Array((upTo(2) == 0 ? text : text.uppercased()).utf8)
    }

    private mutating func pick(_ honest: [String], or odd: [String]) -> [UInt8] {
        let texts = !isHonest && upTo(3) == 0 ? odd : honest
        return Array(texts[upTo(texts.count)].utf8)
    }

    /// From 0, below `bound`; SplitMix64.
    private mutating func upTo(_ bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ mixed >> 31) % UInt64(bound))
    }

    private static let goals = ["secret", "secret", "secret/x", "exact", "exact", "items/x"]

    private static let honestOrigins = ["http://localhost"]
    private static let origins = [
        "HTTP://localhost", "https://localhost", "http://localhost:80", "http://127.0.0.1:80", "hTTp://x@localhost",
        "http:/", "http:",
        "//localhost", "http://localhost\\", "http\u{e}//localhost", "http://", "ftp://localhost",
    ]

    private static let honestMounts = [
        "/app", "/app", "/app", "/app", "//app", "/x/../app", "/./app", "/%61pp", "/app/.",
    ]
    private static let mounts = [
        "/APP", "/ap%70", "/app%2F..%2Fapp", "/x%2F../app", "/%2e%2e/app", "/..%2Fapp", "/app/../app", "/app;",
        "/app%00",
        "/%2Fapp", "/app\\", "\\app", "/app%5C", "/", "", "/%c1%a1pp", "/app%2F", "/app/..;/app", "/;/app", "app",
    ]

    private static let honestJoints = [
        "/", "//", "///", "/./", "/x/../", "/%2e/", "/x/%2E%2e/", "/x/.%2E/", "%2F", "%5c",
    ]
    private static let joints = [
        "%2f", "\\", "%5C", "%252F", "%255c", "/..;/", "/;/", "/x%2Fy/../", "/x%2fy/%2e%2E/", "/x%2Fy%2Fz/../../",
        "/%2F/../", "/x%2F/.%2e/", "/x%5C/../", "/x/..%2F", "/x%2F/./../", "%2F..%2F", "/%2e%2e%2F", "%2F../",
        "/x\\y/../",
        "/x%5Cy/../", "\\..\\", "%5c..%5c", "%c0%af", "%C1%9C", "%e0%80%af", "/%c0%ae%c0%ae/", "/%252e%252e/",
        "%00/",
        "/../", "/.%00./", "#/", "%23/", "?/", "%3F/", "/.%252e/", "%u002f", "%2%46", "%EF%BC%8F", "/..%2f",
        "/x/..%2F..%2F",
    ]

    private static let honestSegments = [
        "x", "y", "a%20b", "caf%C3%A9", "cafe%CC%81", "a%2Fb", "a%2fb", "a%5Cb", "%2525", "%252F", "100%25", "a+b", "~",
        "'", "...",
        ".git", "x.php", "x.", "..x", "a;v=1", "secret.", "secretx", "secret;x", "secret%20", "Secret", "secret%2Fx",
        "%2Fsecret",
        "exactly", "exact;x", "exact%2F", "app", "%3Fx", "a%23b", "%2A", "a:b", "@", "items", "items/a%2Fb",
        "items/%252F",
        "%E2%80%AE", "%F0%9F%8D%AA", "a&b=c", "%7e", "%22", "%5B%5D", "%7C", "%60", "%3C%3E", "a,b", "(x)", "!", "$x",
        "secret%3F",
    ]
    private static let segments = [
        "..", "..", ".", "%2e%2e", ".%2E", "%2E.", "%2e", "%00", "secret%00", "secret%0a", "%0d%0aX", "secret%09",
        "%7f", "%ff",
        "%C3", "%C0%AE%C0%AE", "%ED%A0%80", "%", "%zz", "%2", "%u0073ecret", "secret\\", "secret%5C", "secret%5Cx",
        "secret#x", "SECRET", "ſecret", "%C5%BFecret", "\u{e9}", "\"", "<>", "^`{|}", "[]", "..%00", "secret%2F..",
        "..%2Fsecret",
        "..%5Csecret", "%2e%2e%5c", "....", "..;", ".;x", "%2e%2e;x", "app%2F..%2Fsecret", "x%2F..%2Fsecret", "%2F",
        "%5C",
    ]

    private static let honestEnds = [
        "", "", "", "", "/", "/.", "/x/..", "?", "?q=1", "?x?y", "??", "?x?/../y", "?q=/../%2F", "?/app/secret", "//",
    ]
    private static let ends = [
        "#", "#/secret", "?#", "%3F", "%23", "/..", "/%2e%2e", "/.%2e", ";", "/..;", "/;/..", "%2F", "%2F.", "\\",
        "%00", "%",
    ]
}
