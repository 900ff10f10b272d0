internal import Glibc

@testable internal import FastCGI

let formShapes: [Shape] =
    [
        multipart("many fields", 500) { bytes(upTo: $0) { part("name=f\($0)", "1") } },
        multipart("many files", 300) { bytes(upTo: $0) { part("name=f; filename=\"\($0).txt\"", "1") } },
        multipart("sixteen parameters a part", 100) { bytes(part("name=f" + parameters(15), "1"), times: $0) },
        multipart("1,500 parameters a part", 100, mayBeRefused: true) {
            bytes(part("name=f" + parameters(1500), "1"), times: $0)
        },
        multipart("many parameters in one part", 150, mayBeRefused: true) {
            Array(part("name=f" + parameters($0), "1").utf8)
        },
        multipart("many header lines", 150) {
            bytes(part("name=f" + text("\r\nX-Header: value", 14), "1"), times: $0)
        },
        multipart("long header lines", 30) { bytes(part("name=f\r\nX: " + text("x", 8000), "1"), times: $0) },
        multipart("names full of quotes", 30) { bytes(part("name=\"" + text("\\\"", 3900) + "\"", "1"), times: $0) },
        multipart("names full of escapes", 10) { bytes(part("name=\"" + text("%22", 2600) + "\"", "1"), times: $0) },
        multipart("file names that end in a backslash", 30) {
            bytes(part("name=f; filename=\"" + text("\\", 7901) + "\"", "1"), times: $0)
        },
        multipart("file names in percent-encoding", 30) {
            bytes(part("name=f; filename*=UTF-8''" + text("%C3%A9", 1300), "1"), times: $0)
        },
        multipart("file names in encoded words", 10) {
            bytes(part("name=f; filename=\"=?utf-8?Q?" + text("=C3=A9", 1300) + "?=\"", "1"), times: $0)
        },
        multipart("file names full of slashes", 30) {
            bytes(part("name=f; filename=\"" + text("/", 8000) + "\"", "1"), times: $0)
        },
        multipart("nearly the boundary", 2000) { Array(part("name=f", text("\r\n--" + nearBoundary, $0)).utf8) },
        multipart("beginnings of the boundary", 20_000) { Array(part("name=f", text("\r\n--", $0)).utf8) },
        multipart("carriage returns", 100_000) { Array(part("name=f", text("\r", $0)).utf8) },
        multipart("line ends", 50_000) { Array(part("name=f", text("\r\n", $0)).utf8) },
        multipart("a long preamble", 50_000) { bytes("x\r\n", times: $0) + [13, 10] },
        multipart("a long epilogue", 500_000, last: "--\(boundary)--\r\n") { bytes("x", times: $0) },
        multipart("padded boundaries", 100) {
            bytes("--\(boundary)\(text(" \t", 2000))\r\n\(disposition)name=f\r\n\r\n1\r\n", times: $0)
        },
        multipart("a field byte by byte", 5000, pieces: 1) { Array(part("name=f", text("\r\n--" + "bb", $0)).utf8) },
        multipart("part heads byte by byte", 20, pieces: 1) {
            bytes(part("name=f\r\nX: " + text("x", 1000), "1"), times: $0)
        },
        multipart("a preamble without a boundary", 100_000, last: "", mayBeRefused: true) {
            bytes("\r\n--", times: $0)
        },

        urlEncoded("many fields", 4000) { bytes(upTo: $0) { "f\($0)=1&" } },
        urlEncoded("one name", 8000) { bytes("f=1&", times: $0) },
        urlEncoded("only escapes", 50_000) { bytes("%41", times: $0) },
        urlEncoded("broken escapes", 50_000) { bytes("%4%", times: $0) },
        urlEncoded("invalid UTF-8", 5000) { bytes("%FF", times: $0) },
        urlEncoded("only plus signs", 100_000) { bytes("+", times: $0) },
        urlEncoded("only ampersands", 100_000) { bytes("&", times: $0) },
        urlEncoded("only equals signs", 100_000) { bytes("=", times: $0) },

        header("many parameters", 200) { text("; p=v", $0) },
        header("only semicolons", 20_000) { text(";", $0) },
        header("blanks", 20_000) { text("; ", $0) },
        header("a long quoted value", 20_000) { "; p=\"" + text("\\\"", $0) + "\"" },
        header("a quoted value without an end", 20_000) { "; p=\"" + text("\\\"", $0) },
        header("a long boundary", 20_000) { "; boundary=" + text("b", $0) },
    ]

private let boundary = String(repeating: "b", count: 70)
private let nearBoundary = String(repeating: "b", count: 69) + "c"
private let disposition = "Content-Disposition: form-data; "

/// No limits but those of the parser itself.
private let limits: FormLimits = {
    var limits = FormLimits()
    limits.maxFields = .max
    limits.maxFieldBytes = .max
    limits.maxFiles = .max
    limits.fileMemoryThreshold = .max
    return limits
}()

private func text(_ unit: String, _ count: Int) -> String { String(repeating: unit, count: count) }

/// So short that 1,500 of them fit into a head.
private func parameters(_ count: Int) -> String {
    (0..<count).map { ";\(String($0 + 36, radix: 36))=v" }.joined()
}

private func part(_ parameters: String, _ content: String) -> String {
    "--\(boundary)\r\n\(disposition)\(parameters)\r\n\r\n\(content)\r\n"
}

private func multipart(
    _ name: String, _ size: Int, pieces: Int = .max, last: String? = nil, mayBeRefused: Bool = false,
    _ body: @escaping @Sendable (Int) -> [UInt8]
) -> Shape {
    Shape("multipart/form-data", name, size) { size in
        let body =
            last.map { Array($0.utf8) + body(size) } ?? (body(size) + Array("--\(boundary)--\r\n".utf8))
        return parsing("multipart/form-data; boundary=\(boundary)", body, pieces, mayBeRefused)
    }
}

private func urlEncoded(_ name: String, _ size: Int, _ body: @escaping @Sendable (Int) -> [UInt8]) -> Shape {
    Shape("x-www-form-urlencoded", name, size) { size in
        parsing("application/x-www-form-urlencoded", body(size), .max, false)
    }
}

private func parsing(_ type: String, _ body: [UInt8], _ pieces: Int, _ mayBeRefused: Bool) -> () throws -> Void {
    func parse() throws -> Form {
        var position = 0
        return try Form.parse(contentType: type, limits: limits) { buffer in
            let count = min(pieces, buffer.count, body.count - position)
            body.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
            }
            position += count
            return count
        }
    }
    return mayBeRefused ? { use(try? parse()) } : { use(try parse()) }
}

/// A Content-Type: whether it is refused or not, it is read at most once.
private func header(_ name: String, _ size: Int, _ parameters: @escaping @Sendable (Int) -> String) -> Shape {
    Shape("Content-Type", name, size) { size in
        let value = "multipart/form-data" + parameters(size)
        return { use(try? FormEncoding(contentType: value)) }
    }
}
