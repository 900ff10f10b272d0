extension HostileBytes {
    private typealias Kind = FastCGIRecord.Kind

    private static func getValues(_ count: Int) -> [UInt8] {
        let names = (0..<count).flatMap { _ in FastCGIRecord.pairs([("FCGI_MAX_CONNS", "")]) }
        return FastCGIRecord(Kind.getValues, id: 0, names).bytes
    }

    /// Records that must not stand inside a body: they follow a head, in a write of their own.
    public static let bodies: [HostileBytes] = [
        HostileBytes("GET_VALUES", .body, getValues(1)),
        HostileBytes("GET_VALUES, a name 200 times", .body, getValues(200)),
        HostileBytes("GET_VALUES behind content", .body, FastCGIRecord(Kind.stdin, [1, 2]).bytes + getValues(4)),
        HostileBytes("GET_VALUES cut short", .body, FastCGIRecord(Kind.getValues, id: 0, [14, 0, 70]).bytes),
        HostileBytes("an unknown management record", .body, FastCGIRecord(99, id: 0, [1, 2, 3]).bytes),
        HostileBytes("an unknown type", .body, FastCGIRecord(77, [1]).bytes),
        HostileBytes("another request's content", .body, FastCGIRecord(Kind.stdin, id: 7, [1]).bytes),
        HostileBytes("another request's end", .body, FastCGIRecord(Kind.stdin, id: 7).bytes),
        HostileBytes("PARAMS", .body, FastCGIRecord(Kind.params, [1, 1, 65, 66]).bytes),
        HostileBytes("DATA", .body, FastCGIRecord(Kind.data, [1]).bytes),
        HostileBytes("BEGIN, the same id", .pipelined, FastCGIRecord.begin().bytes),
        HostileBytes("BEGIN, another id", .pipelined, FastCGIRecord.begin(id: 2).bytes),
        HostileBytes("ABORT", .aborted, FastCGIRecord(Kind.abort).bytes),
        HostileBytes("ABORT of another request", .body, FastCGIRecord(Kind.abort, id: 5).bytes),
        HostileBytes("version 2", .version, [2, 5, 0, 1, 0, 0, 0, 0]),
        HostileBytes("no FastCGI at all", .version, Array("hello, world".utf8)),
    ]
}
