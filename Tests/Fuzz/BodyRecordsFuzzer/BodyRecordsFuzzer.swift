// covers: Sources/FastCGI/Head/BodyRecords.swift
@testable import FastCGI

/// Any bytes behind a head: where the network cuts them changes nothing, and no more is handed on than came.
///
/// The first byte is the size of the pieces.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let bytes = UnsafeRawBufferPointer(start: data + 1, count: count - 1)
    let whole = walk(bytes, size: bytes.count)
    let cut = walk(bytes, size: Int(data[0] % 40) + 1)
    precondition(whole == cut, "where the body is cut changes what it means")
    precondition(whole.content.count <= bytes.count)
    precondition(whole.refusal == nil || !whole.isComplete || whole.refusal == .pipelined)
    return 0
}

private struct Walk: Equatable {
    var content: [UInt8] = []
    var isComplete = false
    var refusal: HeadCheck.Refusal?
}

private func walk(_ bytes: UnsafeRawBufferPointer, size: Int) -> Walk {
    var records = BodyRecords(requestID: 1)
    var walk = Walk()
    var offset = 0
    while offset < bytes.count, walk.refusal == nil {
        // A copy, so that a read beyond the piece is one beyond its memory.
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: min(size, bytes.count - offset), alignment: 1)
        defer { piece.deallocate() }
        piece.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + piece.count]))
        offset += piece.count
        do throws(HeadCheck.Refusal) {
            try records.take(UnsafeRawBufferPointer(piece)) { walk.content += $0 }
        } catch {
            walk.refusal = error
        }
    }
    walk.isComplete = records.isComplete
    return walk
}
