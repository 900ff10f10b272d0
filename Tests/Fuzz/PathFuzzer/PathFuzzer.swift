// covers: Sources/FastCGI/Request/RequestTarget.swift
// covers: Sources/FastCGI/Request/CanonicalPath.swift
// covers: Sources/FastCGI/Request/MountPoint.swift
@testable import FastCGI

/// Any request target: what is routed is the path that nginx's locations are matched with, or it is refused.
///
/// The first byte chooses the mount point, and whether the target begins there.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let mount = data[0] & 1 == 0 ? MountPoint.root : mounted
    let rest = [UInt8](UnsafeBufferPointer(start: data + 1, count: count - 1))
    let target = (data[0] & 2 == 0 ? [] : Array("/app/".utf8)) + rest
    let path = route(target, mount)
    if let path {
        checkForm(path)
        precondition(route(encoded(mount.path + path), mount) == path, "its own form is another path")
    }
    guard target.first == slash else { return 0 }
    precondition(route(Array("HTTP://[::1]:80".utf8) + target, mount) == path, "an absolute URI is another path")
    let resolved = NginxPath(target)
    guard let path else {
        guard let resolved, resolved.isHonest else { return 0 }
        let isInside = mount.path.isEmpty || (resolved.bytes + [slash]).starts(with: (mount.path + "/").utf8)
        precondition(!isInside || resolved.hidesSeparators, "an honest path was refused")
        return 0
    }
    guard let resolved else { fatalError("nginx refuses this") }
    let meant = merged(Array((mount.path + CanonicalPath.decoded(path)).utf8))
    precondition(meant == resolved.bytes || path == "/" && meant == resolved.bytes + [slash], "nginx sees another path")
    // The same by way of nginx's own $uri.
    let second = route(decoded: resolved.bytes, mount)
    precondition(second != nil, "nginx's $uri was refused")
    if !resolved.hidesSeparators { precondition(second == path || path == "/", "nginx's $uri is another path") }
    return 0
}

private let slash = UInt8(ascii: "/")
private let mounted = try! MountPoint("/app")

private func route(_ target: [UInt8], _ mount: MountPoint) -> String? {
    target.withUnsafeBytes { try? RequestTarget(raw: $0, mount: mount).path.string }
}

private func route(decoded path: [UInt8], _ mount: MountPoint) -> String? {
    path.withUnsafeBytes { try? RequestTarget(decoded: $0, query: "", mount: mount).path.string }
}

/// What holds for every path that is routed.
private func checkForm(_ path: String) {
    precondition(path.utf8.first == slash)
    precondition(!path.utf8.contains { $0 < 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "\\") })
    let segments = path.utf8.dropFirst().split(separator: slash, omittingEmptySubsequences: false)
    precondition(!segments.dropLast().contains { $0.isEmpty }, "an empty segment")
    let pieces = CanonicalPath.decoded(path).utf8.split { $0 == slash || $0 == UInt8(ascii: "\\") }
    precondition(!pieces.contains { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }, "a dot segment")
}

/// A path as it could have been sent: all but slashes, letters, digits and the escapes of its form is encoded.
private func encoded(_ path: String) -> [UInt8] {
    let bytes = Array(path.utf8)
    var result: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
        let isPlain =
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), slash:
                true
            case UInt8(ascii: "%"):
                ["2F", "5C", "25"].contains { bytes[(index + 1)...].starts(with: $0.utf8) }
            default: false
            }
        let hex = String(byte, radix: 16)
        result += isPlain ? [byte] : Array("%\(hex.count == 1 ? "0" : "")\(hex)".utf8)
    }
    return result
}

private func merged(_ path: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    for byte in path where byte != slash || result.last != slash { result.append(byte) }
    return result
}

/// The path that nginx matches its locations with (`ngx_http_parse_complex_uri`): decoded, then resolved and merged.
private struct NginxPath {
    let bytes: [UInt8]
    /// The target holds an encoded slash or a backslash.
    let hidesSeparators: Bool
    /// Nothing in it is a reason to refuse it.
    let isHonest: Bool

    /// Nil when nginx answers 400.
    init?(_ target: [UInt8]) {
        let path = target.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        var decoded: [UInt8] = []
        var hidesSeparators = false
        var index = path.startIndex
        while index < path.endIndex {
            var byte = path[index]
            if byte < 0x20 || byte == 0x7f { return nil }
            if byte == UInt8(ascii: "%") {
                guard index + 2 < path.endIndex, let high = Character(Unicode.Scalar(path[index + 1])).hexDigitValue,
                    let low = Character(Unicode.Scalar(path[index + 2])).hexDigitValue
                else { return nil }
                byte = UInt8(high << 4 | low)
                if byte == 0 { return nil }
                if byte == slash { hidesSeparators = true }
                index += 2
            }
            if byte == UInt8(ascii: "\\") { hidesSeparators = true }
            decoded.append(byte)
            index += 1
        }
        var segments: [ArraySlice<UInt8>] = []
        var endsWithSlash = false
        for segment in decoded.dropFirst().split(separator: slash, omittingEmptySubsequences: false) {
            endsWithSlash = true
            if segment.elementsEqual("..".utf8) {
                guard segments.popLast() != nil else { return nil }
            } else if !segment.isEmpty, !segment.elementsEqual(".".utf8) {
                segments.append(segment)
                endsWithSlash = false
            }
        }
        let joined = segments.flatMap { [slash] + $0 }
        bytes = endsWithSlash || joined.isEmpty ? joined + [slash] : joined
        self.hidesSeparators = hidesSeparators
        let pieces = decoded.split { $0 == slash || $0 == UInt8(ascii: "\\") }
        let hasDots = pieces.contains { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }
        isHonest =
            !(hidesSeparators && hasDots) && !decoded.contains { $0 < 0x20 || $0 == 0x7f }
            && String(validating: decoded, as: UTF8.self) != nil
    }
}
