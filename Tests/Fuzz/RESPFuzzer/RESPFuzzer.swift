// covers: Sources/RESP/RESPParser.swift
// covers: Sources/RESP/RESPWriter.swift
import RESP

/// Any bytes as replies and as commands: where they are cut changes nothing, the limits are kept, and what was read and
/// is written again is read as the same.
///
/// The first byte is the size of the pieces.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let bytes = [UInt8](UnsafeBufferPointer(start: data + 1, count: count - 1))
    let pieces = Int(data[0] & 31) + 1
    let values = read(bytes, limits, pieces: .max) { parser throws(RESPError) in try parser.next() }
    let cut = read(bytes, limits, pieces: pieces) { parser throws(RESPError) in try parser.next() }
    precondition(values == cut, "where replies are cut changes what they mean")

    var writer = RESPWriter()
    for value in values {
        check(value, depth: 0)
        writer.value(value)
    }
    // Text that is not UTF-8 has grown when it was repaired: limits of another size.
    let again = read(writer.bytes, RESPLimits(), pieces: pieces) { parser throws(RESPError) in try parser.next() }
    precondition(again == values, "another value was written")

    let commands = read(bytes, limits, pieces: .max) { parser throws(RESPError) in try parser.nextCommand() }
    let cutCommands = read(bytes, limits, pieces: pieces) { parser throws(RESPError) in try parser.nextCommand() }
    precondition(commands == cutCommands, "where commands are cut changes what they mean")
    for command in commands {
        precondition(!command.isEmpty && command.count <= limits.elements)
        precondition(command.allSatisfy { $0.count <= limits.bulkBytes })
    }
    return 0
}

private let limits: RESPLimits = {
    var limits = RESPLimits(valueBytes: 512)
    (limits.bulkBytes, limits.elements, limits.depth) = (128, 32, 3)
    return limits
}()

private func check(_ value: RESPValue, depth: Int) {
    switch value {
    case .bulk(let bytes): precondition(bytes.count <= limits.bulkBytes)
    case .array(let elements):
        precondition(depth < limits.depth && elements.count <= limits.elements)
        for element in elements { check(element, depth: depth + 1) }
    default: break
    }
}

/// All that comes before the end or the first error.
private func read<Value>(
    _ bytes: [UInt8], _ limits: RESPLimits, pieces: Int, _ next: (inout RESPParser) throws(RESPError) -> Value?
) -> [Value] {
    var parser = RESPParser(limits: limits)
    var values: [Value] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        parser.append(rest.prefix(pieces))
        rest = rest.dropFirst(pieces)
        do {
            while let value = try next(&parser) { values.append(value) }
        } catch {
            return values
        }
    }
    return values
}
