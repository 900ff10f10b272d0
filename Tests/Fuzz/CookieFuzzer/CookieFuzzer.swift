// covers: Sources/Sessions/Cookies/SessionIDCandidates.swift
import Sessions

private let cookie = try! SessionCookie(name: "sid")

/// Any Cookie header: at most four ids, each of which stands in the header as `sid=` and 43 characters.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let header = UnsafeRawBufferPointer(start: data, count: count)
    var candidates = SessionIDCandidates()
    candidates.collect(from: header, named: cookie)
    precondition(candidates.count <= SessionIDCandidates.limit)
    for position in 0..<candidates.count {
        let wanted = Array("sid=\(candidates[position].encoded)".utf8)
        precondition(contains(header, wanted), "an id that the header does not hold")
    }
    return 0
}

private func contains(_ bytes: UnsafeRawBufferPointer, _ wanted: [UInt8]) -> Bool {
    guard bytes.count >= wanted.count else { return false }
    return (0...bytes.count - wanted.count).contains { start in
        wanted.indices.allSatisfy { bytes[start + $0] == wanted[$0] }
    }
}
