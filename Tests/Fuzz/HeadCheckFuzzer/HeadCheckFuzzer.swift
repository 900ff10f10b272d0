// covers: Sources/FastCGI/Head/HeadCheck.swift
// covers: Sources/FastCGI/Head/ParameterPairs.swift
// covers: Sources/FastCGI/Head/RecordHeader.swift
@testable import FastCGI

/// Any bytes a peer may send: the check must end, stay within them, and not change its mind.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let check = HeadCheck(maxBytes: 4_096, maxParameters: 64)
    var bytes = [UInt8](UnsafeBufferPointer(start: data, count: count))
    let whole = look(&bytes, check)
    precondition(look(&bytes, check) == whole, "another verdict on the same bytes")
    // What was enough or wrong already stays so when more arrives.
    var longer = bytes + [1, 9, 0, 0, 0, 0, 0, 0]
    if case .refused = whole { precondition(look(&longer, check) == whole, "a refusal was taken back") }
    if case .complete = whole, case .incomplete = look(&longer, check) { fatalError("complete, then incomplete") }
    if case .complete(let pairs, var head) = whole, head.count <= check.maxBytes {
        guard case .complete(pairs, head) = look(&head, check) else { fatalError("libfcgi would get another head") }
    }
    return 0
}

private enum Summary: Equatable {
    case incomplete
    case refused(HeadCheck.Refusal)
    /// The pairs, and the head as libfcgi gets it.
    case complete([[UInt8]], [UInt8])
}

private func look(_ bytes: inout [UInt8], _ check: HeadCheck) -> Summary {
    var pairs = ParameterPairs()
    return bytes.withUnsafeMutableBytes { buffer in
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: buffer.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyMemory(from: UnsafeRawBufferPointer(buffer))
        switch check.check(copy, pairs: &pairs) {
        case .incomplete: return .incomplete
        case .refused(let refusal): return .refused(refusal)
        case .complete(let head):
            precondition(head.end <= copy.count)
            precondition(pairs.pairs.count <= check.maxParameters)
            // The slices trap when they reach beyond the bytes.
            return .complete(
                pairs.pairs.flatMap { [Array(copy[$0.name]), Array(copy[$0.value])] },
                head.records(UnsafeRawBufferPointer(copy)))
        }
    }
}
