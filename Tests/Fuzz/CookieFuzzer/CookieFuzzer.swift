// covers: Sources/Sessions/Cookies/SessionIDCandidates.swift
import Sessions

private let cookie = try! SessionCookie(name: "sid")

/// Any Cookie header gives just the ids that a plain reading gives: split at semicolons, blanks cut off, the name and the
/// form of an id compared.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let header = UnsafeRawBufferPointer(start: data, count: count)
    var candidates = SessionIDCandidates()
    candidates.collect(from: header, named: cookie)
    precondition(candidates.count <= SessionIDCandidates.limit)
    precondition((0..<candidates.count).map { candidates[$0] } == plainReading(Array(header)), "another reading")
    return 0
}

private func plainReading(_ header: [UInt8]) -> [SessionID] {
    var ids: [SessionID] = []
    for pair in header.split(separator: UInt8(ascii: ";")) {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        var pair = pair.drop(while: isBlank)
        while let last = pair.last, isBlank(last) { pair.removeLast() }
        guard pair.starts(with: "sid=".utf8),
            let id = Array(pair.dropFirst(4)).withUnsafeBytes({ SessionID(encoded: $0) }),
            !ids.contains(id)
        else { continue }
        ids.append(id)
    }
    return Array(ids.prefix(SessionIDCandidates.limit))
}
