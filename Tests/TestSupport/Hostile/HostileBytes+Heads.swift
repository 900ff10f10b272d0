extension HostileBytes {
    private typealias Kind = FastCGIRecord.Kind

    private static let begin = FastCGIRecord.begin().bytes
    private static let head = FastCGIRecord.head()

    private static func params(_ content: [UInt8]) -> [UInt8] {
        begin + FastCGIRecord.stream(Kind.params, content)
    }

    private static func version(_ version: UInt8) -> [UInt8] {
        var record = FastCGIRecord.begin()
        record.version = version
        return record.bytes
    }

    /// What comes in place of a request's head, or with it.
    public static let heads: [HostileBytes] = [
        HostileBytes("raw HTTP", .version, Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)),
        HostileBytes("version 0", .version, version(0)),
        HostileBytes("version 2", .version, version(2)),
        HostileBytes("version 2 in the second record", .version, begin + [2]),
        HostileBytes("BEGIN of length 7", .begin, FastCGIRecord(Kind.begin, [0, 1, 1, 0, 0, 0, 0]).bytes),
        HostileBytes("BEGIN with id 0", .begin, FastCGIRecord.begin(id: 0).bytes),
        HostileBytes("PARAMS first", .begin, FastCGIRecord(Kind.params, FastCGIRecord.pairs([("A", "1")])).bytes),
        HostileBytes("STDIN first", .begin, FastCGIRecord(Kind.stdin).bytes),
        HostileBytes(
            "GET_VALUES again and again", .management,
            (0..<9).flatMap { _ in
                FastCGIRecord(Kind.getValues, id: 0, FastCGIRecord.pairs([("FCGI_MAX_CONNS", "")])).bytes
            }),
        HostileBytes(
            "GET_VALUES with repeated names", .management,
            FastCGIRecord(
                Kind.getValues, id: 0, (0..<200).flatMap { _ in FastCGIRecord.pairs([("FCGI_MAX_CONNS", "")]) }
            ).bytes),
        HostileBytes("a management record in the head", .foreignID, begin + FastCGIRecord(99, id: 0, [1, 2, 3]).bytes),
        HostileBytes("Filter role", .role, FastCGIRecord.begin(role: 3).bytes),
        HostileBytes("role 99", .role, FastCGIRecord.begin(role: 99).bytes),
        HostileBytes("role 0", .role, FastCGIRecord.begin(role: 0).bytes),
        HostileBytes("second BEGIN, same id", .recordType, begin + begin),
        HostileBytes("second BEGIN, other id", .foreignID, begin + FastCGIRecord.begin(id: 2).bytes),
        HostileBytes(
            "foreign id in PARAMS", .foreignID, begin + FastCGIRecord(Kind.params, id: 7, [1, 1, 65, 66]).bytes),
        HostileBytes("zero-length foreign PARAMS", .foreignID, begin + FastCGIRecord(Kind.params, id: 7).bytes),
        HostileBytes("unknown id-0 record in PARAMS", .foreignID, begin + FastCGIRecord(99, id: 0, [1]).bytes),
        HostileBytes("unknown type in PARAMS", .recordType, begin + FastCGIRecord(42, [1]).bytes),
        HostileBytes("ABORT within PARAMS", .aborted, begin + FastCGIRecord(Kind.abort).bytes),
        HostileBytes("name length 0x7ffffffe", .pairLength, params([0xff, 0xff, 0xff, 0xfe, 0])),
        HostileBytes("value length 0x7ffffffe", .pairLength, params([0, 0xff, 0xff, 0xff, 0xfe])),
        HostileBytes(
            "lengths that wrap together", .pairLength, params([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
        HostileBytes("1 GiB claimed", .pairLength, params([0xc0, 0, 0, 0, 1, 65])),
        HostileBytes("a length cut short", .pairLength, params([0x80, 0, 0])),
        HostileBytes("a name without a value length", .pairLength, params([3])),
        HostileBytes("a pair longer than its stream", .pairLength, params([5, 5, 65, 66])),
        HostileBytes("NUL in a name", .pairName, params(FastCGIRecord.pairs([("a\0b", "1")]))),
        HostileBytes("= in a name", .pairName, params(FastCGIRecord.pairs([("a=b", "1")]))),
        HostileBytes("NUL in a value", .pairValue, params(FastCGIRecord.pairs([("A", "a\0b")]))),
        HostileBytes("32,000 empty pairs", .tooMany, params([UInt8](repeating: 0, count: 64_000))),
        HostileBytes("BEGIN inside STDIN", .pipelined, head + begin),
        HostileBytes("foreign id in STDIN", .body, head + FastCGIRecord(Kind.stdin, id: 9, [1]).bytes),
        HostileBytes("unknown type in STDIN", .body, head + FastCGIRecord(77, [1]).bytes),
        HostileBytes(
            "PARAMS after STDIN", .body, head + FastCGIRecord(Kind.stdin, [1]).bytes + FastCGIRecord(Kind.params).bytes),
        HostileBytes("version 9 in STDIN", .version, head + [9]),
        HostileBytes("ABORT after the head", .aborted, head + FastCGIRecord(Kind.abort).bytes),
    ]
}
