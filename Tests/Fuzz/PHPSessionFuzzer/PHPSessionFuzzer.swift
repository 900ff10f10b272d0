// covers: Sources/PHPSerialization/Document
// covers: Sources/PHPSerialization/Tape
// covers: Sources/PHPSerialization/Value
import PHPSerialization

/// Any bytes in each of PHP's formats: what is read goes back as it was, changed or not, and is read again; values have
/// a text that is read as the same; sessions can be merged.
///
/// The first byte is the format.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let bytes = [UInt8](UnsafeBufferPointer(start: data + 1, count: count - 1))
    let format = [PHPFormat.php, .phpBinary, .phpSerialize, .serialize][Int(data[0] & 3)]
    guard let document = try? PHPDocument(bytes, format: format, limits: limits) else { return 0 }
    let unchanged = try? document.encoded()
    precondition(unchanged == bytes, "what nobody changed is something else")
    checkValues(of: document)

    guard let name = document.names.first ?? (format == .serialize ? nil : "a") else { return 0 }
    var changed = document
    try? changed.set(name, to: ["x": 1, "y": [nil, 2.5]])
    try? changed.remove(document.names.last ?? "b")
    try? changed.set("galleta", to: "new")
    guard let encoded = try? changed.encoded() else { return 0 }
    guard let again = try? PHPDocument(encoded, format: format, limits: limits) else {
        preconditionFailure("what was written is not read")
    }
    precondition(again.names == changed.names)
    // Only a C: keeps texts that PHP would number otherwise.
    var settled = again
    if (try? settled.remove("nothing here")) != nil, (try? settled.set("galleta", to: "newer")) != nil,
        (try? settled.set("galleta", to: "new")) != nil
    {
        precondition((try? settled.encoded()) == encoded, "numbers change without a change")
    }
    _ = try? PHPDocument.merged(encoded, since: bytes, into: bytes + bytes, format: format, limits: limits)
    if let merged = try? PHPDocument.merged(encoded, since: [], into: bytes, format: format, limits: limits) {
        precondition((try? PHPDocument(merged, format: format, limits: limits)) != nil, "what was merged is not read")
    }
    return 0
}

private let limits = PHPLimits(bytes: 8_192, values: 1_000, depth: 64)

private func checkValues(of document: PHPDocument) {
    for name in document.names {
        guard let value = try? document.value(name), let text = try? value.serialized() else { continue }
        guard let again = try? PHPValue(serialized: text) else { preconditionFailure("a value's text is not read") }
        precondition((try? again.serialized()) == text, "a value's text is not that value's")
    }
    _ = try? document.root()
}
