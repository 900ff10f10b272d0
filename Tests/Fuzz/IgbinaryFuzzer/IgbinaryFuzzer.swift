// covers: Sources/PHPSerialization/Igbinary
import PHPSerialization

/// Any bytes after igbinary's first four: what is read has values within the limits, and is never written.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes: [UInt8] = [0, 0, 0, 2] + [UInt8](UnsafeBufferPointer(start: data, count: count))
    let limits = PHPLimits(bytes: 65_536, values: 2_000, depth: 64)
    guard let document = try? PHPDocument(bytes, format: .igbinary, limits: limits) else { return 0 }
    precondition((try? document.encoded()) == nil)
    for name in document.names { _ = try? document.value(name) }
    guard let root = try? document.root(), let text = try? root.serialized() else { return 0 }
    precondition((try? PHPValue(serialized: text)) != nil, "a value's text is not read")
    return 0
}
