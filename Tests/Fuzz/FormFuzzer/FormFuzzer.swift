// covers: Sources/FastCGI/Form/MultipartParser.swift
// covers: Sources/FastCGI/Form/PartHead.swift
// covers: Sources/FastCGI/Form/HeaderParameters.swift
// covers: Sources/FastCGI/Form/EncodedText.swift
// covers: Sources/FastCGI/Form/FormEncoding.swift
// covers: Sources/FastCGI/Form/FormCharset.swift
// covers: Sources/FastCGI/Form/PercentCoding.swift
// covers: Sources/FastCGI/Form/FormFields.swift
@testable import FastCGI

/// Any body as either kind of form: the parser keeps its limits, where the network cuts the body changes nothing, a
/// file's name leads nowhere, and what is refused is so because of the client.
///
/// The first byte chooses the kind and the size of the pieces; from 128 on the first line is the Content-Type.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    var type = data[0] & 1 == 0 ? "application/x-www-form-urlencoded" : "multipart/form-data; boundary=b"
    var body = [UInt8](UnsafeBufferPointer(start: data + 1, count: count - 1))
    if data[0] >= 128 {
        let line = body.prefix { $0 != UInt8(ascii: "\n") }
        type = String(decoding: line, as: UTF8.self)
        body.removeFirst(min(line.count + 1, body.count))
    }
    let whole = parse(type, body, pieces: .max)
    let cut = parse(type, body, pieces: Int((data[0] & 127) >> 1) % 17 + 1)
    precondition(whole == cut, "where the body is cut changes what it means")
    return 0
}

private let limits: FormLimits = {
    var limits = FormLimits()
    limits.maxFields = 20
    limits.maxFieldBytes = 256
    limits.maxFiles = 4
    limits.fileMemoryThreshold = 64
    return limits
}()

/// What the form holds, or nil where it was refused.
private func parse(_ type: String, _ body: [UInt8], pieces: Int) -> [String]? {
    var position = 0
    let form: Form
    do {
        form = try Form.parse(contentType: type, limits: limits) { buffer in
            let piece = body[position...].prefix(min(pieces, buffer.count))
            buffer.copyBytes(from: piece)
            position += piece.count
            return piece.count
        }
    } catch {
        precondition([400, 413, 415].contains((error as? FormError)?.statusCode), "\(error)")
        return nil
    }
    precondition(form.fields.count <= limits.maxFields && form.files.count <= limits.maxFiles)
    precondition(
        form.fields.allSatisfy { $0.name.count <= 65_536 && $0.value.utf8.count <= 3 * limits.maxFieldBytes })
    for file in form.files {
        precondition(!file.filename.utf8.contains { $0 < 0x20 || $0 == 0x7f || $0 == 0x2f || $0 == 0x5c })
        precondition(file.filename != "." && file.filename != "..")
    }
    return form.fields.map { "\($0.name)=\($0.value)" }
        + form.files.map { "\($0.name)=\($0.filename)|\((try? $0.bytes()) ?? [])" }
}
