// covers: Sources/FastCGI/Protocol/RequestCheck.swift
// covers: Sources/FastCGI/Protocol/ParameterCheck.swift
// covers: Sources/FastCGI/Protocol/ParameterList.swift
// covers: Sources/FastCGI/Protocol/RecordHeader.swift
// covers: Sources/FastCGI/Protocol/LibraryRequest.swift
// covers: Sources/FastCGI/Exchange/Exchange.swift
@testable import FastCGI

/// Any bytes a peer may send: where they are cut changes nothing, and of what passes libfcgi reads the same parameters,
/// the same body and the same end as we.
///
/// The first byte is the size of the pieces.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    try! LibraryRequest.start()
    let bytes = UnsafeRawBufferPointer(start: data + 1, count: count - 1)
    let whole = TakenIn(bytes, size: bytes.count)
    let cut = TakenIn(bytes, size: Int(data[0] % 40) + 1)
    precondition(whole == cut, "where a request is cut changes what it means")
    precondition(whole.length <= bytes.count)
    if whole.isComplete, whole.failure == nil { whole.compare(with: Checked(bytes)) }
    return 0
}

private let configuration = {
    var configuration = Server.Configuration()
    configuration.maxHeadBytes = 4096
    configuration.maxParameters = 64
    return configuration
}()

/// What an exchange makes of the bytes, with libfcgi's help.
private struct TakenIn: Equatable {
    private let exchange: Exchange
    private var pairs: [[UInt8]] = []
    private var body: [UInt8] = []
    private var management: [ManagementRecord] = []
    private(set) var isComplete = false
    private(set) var failure: RequestBodyError?
    private(set) var length = 0
    private var refusal: RequestCheck.Refusal?

    init(_ bytes: UnsafeRawBufferPointer, size: Int) {
        exchange = Exchange(configuration)
        var offset = 0
        while offset < bytes.count, !isComplete, refusal == nil {
            // A copy, so that a read beyond the piece is one beyond its memory.
            let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: min(size, bytes.count - offset), alignment: 1)
            defer { piece.deallocate() }
            piece.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + piece.count]))
            offset += piece.count
            take(UnsafeRawBufferPointer(piece))
        }
        failure = exchange.failure
        guard refusal == nil, exchange.check.hasHead else { return }
        exchange.context.parameters.forEach { name, value in pairs.append(Array(name) + [0x3d] + Array(value)) }
        precondition(pairs.count <= configuration.maxParameters)
        body = Array(exchange.spool.bytes)
    }

    private mutating func take(_ piece: UnsafeRawBufferPointer) {
        var rest = piece
        while true {
            let (taken, progress) = exchange.take(rest)
            length += taken
            switch progress {
            case .waiting:
                precondition(taken == rest.count)
                return
            case .complete:
                isComplete = true
                return
            case .refused(let reason):
                refusal = reason
                return
            case .endless: fatalError("a body of this size is never endless")
            case .management(let record):
                management.append(record)
                precondition(record.answer(maxConnections: 100).count >= 8)
                rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
            }
        }
    }

    func compare(with checked: Checked) {
        precondition(pairs == checked.pairs, "libfcgi reads other parameters")
        guard !exchange.check.isAuthorizer else { return }
        exchange.context.begin(exchange.spool, id: exchange.check.requestID, failure: nil, connection: -1)
        let read = try! RequestBody(context: exchange.context).collect()
        precondition(read == body && body == checked.body, "libfcgi reads another body")
    }

    static func == (left: TakenIn, right: TakenIn) -> Bool {
        left.pairs == right.pairs && left.body == right.body && left.isComplete == right.isComplete
            && left.failure == right.failure && left.length == right.length && left.refusal == right.refusal
            && left.management == right.management
    }
}

/// What the check lets pass, read by the letter of section 3.4.
private struct Checked {
    private(set) var pairs: [[UInt8]] = []
    private(set) var body: [UInt8] = []

    init(_ bytes: UnsafeRawBufferPointer) {
        var check = RequestCheck(maxHeadBytes: configuration.maxHeadBytes)
        var parameters: [UInt8] = []
        var offset = 0
        scan: while let step = try? check.next(bytes, &offset) {
            switch step {
            case .parameters(let range): parameters += bytes[range]
            case .body(let range): body += bytes[range]
            case .headEnd, .management: continue
            case .moreBytes, .end: break scan
            }
        }
        var rest = parameters[...]
        while !rest.isEmpty {
            let (nameLength, valueLength) = (Self.length(&rest), Self.length(&rest))
            pairs.append(rest.prefix(nameLength) + [0x3d] + rest.dropFirst(nameLength).prefix(valueLength))
            rest = rest.dropFirst(nameLength + valueLength)
        }
    }

    private static func length(_ bytes: inout ArraySlice<UInt8>) -> Int {
        let first = bytes.removeFirst()
        guard first >= 128 else { return Int(first) }
        return (0..<3).reduce(Int(first & 0x7f)) { value, _ in value << 8 | Int(bytes.removeFirst()) }
    }
}
