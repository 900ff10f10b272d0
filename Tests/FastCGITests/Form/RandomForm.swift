@testable import FastCGI

/// A form of random fields and files, and its multipart encoding as browsers write it.
struct RandomForm {
    let boundary: String
    var fields = FormFields()
    var files: [(name: String, filename: String, content: [UInt8])] = []
    var multipart: [UInt8] = []

    init(using generator: inout SeededGenerator) {
        let boundary = (0..<Int.random(in: 5...70, using: &generator)).map { _ in
            "-=ab/"[Int.random(in: 0..<5, using: &generator)]
        }
        self.boundary = String(boundary)
        for _ in 0..<Int.random(in: 0...12, using: &generator) {
            let name = Self.text(using: &generator)
            var head = "--\(self.boundary)\r\nContent-Disposition: form-data; name=\"\(Self.escaped(name))\""
            var content: [UInt8]
            if Bool.random(using: &generator) {
                let filename = "f" + Self.text(using: &generator).filter { !$0.isNewline && $0 != "\\" && $0 != "/" }
                head += "; filename=\"\(Self.escaped(filename))\"\r\nContent-Type: application/octet-stream"
                content = Self.content(self.boundary, using: &generator)
                files.append((name, filename, content))
            } else {
                let value = Self.text(using: &generator)
                content = Array(value.utf8)
                fields.append(ByteString(name), value)
            }
            multipart += Array((head + "\r\n\r\n").utf8) + content + Array("\r\n".utf8)
        }
        multipart += Array("--\(self.boundary)--\r\n".utf8)
    }

    /// Characters that mean something to a parser, and some that take several bytes.
    private static func text(using generator: inout SeededGenerator) -> String {
        let alphabet = Array("aB1 \"\r\n=&+;,:-/é漢🍪'".unicodeScalars)
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...20, using: &generator) {
            text.append(alphabet.randomElement(using: &generator)!)
        }
        return String(text)
    }

    /// Pieces of the delimiter, never the whole of it.
    private static func content(_ boundary: String, using generator: inout SeededGenerator) -> [UInt8] {
        let delimiter = Array("\r\n--\(boundary)".utf8)
        var content: [UInt8] = []
        for _ in 0..<Int.random(in: 0...20, using: &generator) {
            content += delimiter.prefix(Int.random(in: 0..<delimiter.count, using: &generator))
            content.append(0)
        }
        return content
    }

    private static func escaped(_ name: String) -> String {
        var escaped = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "\"": escaped += "%22"
            case "\r": escaped += "%0D"
            case "\n": escaped += "%0A"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

extension String {
    fileprivate subscript(offset: Int) -> Character { self[index(startIndex, offsetBy: offset)] }
}
