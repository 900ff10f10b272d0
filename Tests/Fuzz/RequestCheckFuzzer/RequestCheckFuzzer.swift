// covers: Sources/FastCGI/Protocol/RequestCheck.swift
// covers: Sources/FastCGI/Protocol/ParameterPairs.swift
// covers: Sources/FastCGI/Protocol/RecordHeader.swift
// covers: Sources/FastCGI/Protocol/ProtocolLibrary.swift
// covers: Sources/FastCGI/Server/Intake.swift
@testable import FastCGI

/// Any bytes a peer may send: where they are cut changes nothing, and of what passes libfcgi reads the same parameters,
/// the same body and the same end as we.
///
/// The first byte is the size of the pieces.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let bytes = UnsafeRawBufferPointer(start: data + 1, count: count - 1)
    let whole = TakenIn(bytes, size: bytes.count)
    let cut = TakenIn(bytes, size: Int(data[0] % 40) + 1)
    precondition(whole == cut, "where a request is cut changes what it means")
    precondition(whole.length <= bytes.count)
    if whole.isComplete, whole.failure == nil { whole.compareWithLibrary() }
    return 0
}

private struct TakenIn: Equatable {
    private let intake: Intake
    private var pairs: [[UInt8]] = []
    private var body: [UInt8] = []
    private(set) var isComplete = false
    private(set) var failure: RequestBodyError?
    private(set) var length = 0
    private var refusal: RequestCheck.Refusal?

    init(_ bytes: UnsafeRawBufferPointer, size: Int) {
        var configuration = Server.Configuration()
        configuration.maxHeadBytes = 4096
        configuration.maxParameters = 64
        intake = Intake(configuration)
        var offset = 0
        while offset < bytes.count, !isComplete, refusal == nil {
            // A copy, so that a read beyond the piece is one beyond its memory.
            let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: min(size, bytes.count - offset), alignment: 1)
            defer { piece.deallocate() }
            piece.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + piece.count]))
            offset += piece.count
            let (taken, progress) = intake.take(UnsafeRawBufferPointer(piece))
            length += taken
            switch progress {
            case .waiting: precondition(taken == piece.count)
            case .complete: isComplete = true
            case .refused(let reason): refusal = reason
            case .endless: fatalError("a body of this size is never endless")
            }
        }
        failure = intake.failure
        guard refusal == nil, intake.check.hasHead else { return }
        precondition(intake.context.pairs.count <= configuration.maxParameters)
        // The slices trap when they reach beyond the bytes.
        let head = intake.context.bytes
        pairs = intake.context.pairs.pairs.map { Array(head[$0.name]) + [0x3d] + Array(head[$0.value]) }
        body = Array(intake.spool.bytes)
    }

    func compareWithLibrary() {
        try! ProtocolLibrary.start()
        var library = ProtocolLibrary()
        precondition(library.read(intake, answeringTo: -1), "libfcgi cannot read what was checked")
        // It puts the role in front.
        var theirs: [[UInt8]] = []
        var next = library.parameters + 1
        while let text = next.pointee {
            theirs.append(Array(String(cString: text).utf8CString.dropLast().map { UInt8(bitPattern: $0) }))
            next += 1
        }
        let ours = pairs.map { Array(String(decoding: $0, as: UTF8.self).utf8) }
        precondition(theirs == ours, "libfcgi reads other parameters")
        if !intake.check.isAuthorizer {
            var state = BodyState(library.input, failure: nil)
            var read = [UInt8](repeating: 0, count: body.count + 1)
            let count = try! read.withUnsafeMutableBytes { try state.read(into: $0) }
            precondition(Array(read.prefix(count)) == body, "libfcgi reads another body")
        }
        precondition(library.finish())
    }

    static func == (left: TakenIn, right: TakenIn) -> Bool {
        left.pairs == right.pairs && left.body == right.body && left.isComplete == right.isComplete
            && left.failure == right.failure && left.length == right.length && left.refusal == right.refusal
    }
}
