internal import PHPSerialization

/// No limits: how costs grow has to be seen beyond them.
private let limits = PHPLimits(bytes: 1 << 30, values: 1 << 30, depth: 1 << 30)

/// Reading, a change, writing.
private func changing(
    _ format: PHPFormat, _ name: String, _ size: Int, _ input: @escaping @Sendable (Int) -> [UInt8]
) -> Shape {
    Shape("PHP's \(format)", name, size) { size in
        let bytes = input(size)
        return {
            var document = try PHPDocument(bytes, format: format, limits: limits)
            try document.set("galleta", to: ["x": 1])
            use(try document.encoded())
        }
    }
}

/// Names with values, in each format.
private func session(_ format: PHPFormat, _ count: Int, _ value: (Int) -> String) -> [UInt8] {
    switch format {
    case .php: return bytes(upTo: count) { "n\($0)|\(value($0))" }
    case .phpBinary:
        return (0..<count).flatMap { number in
            let name = Array("n\(number)".utf8)
            return [UInt8(name.count)] + name + Array(value(number).utf8)
        }
    default:
        let elements = bytes(upTo: count) { number in
            let name = "n\(number)"
            return "s:\(name.utf8.count):\"\(name)\";\(value(number))"
        }
        return Array("a:\(count):{".utf8) + elements + Array("}".utf8)
    }
}

private func formatShapes(_ format: PHPFormat) -> [Shape] {
    let first = format == .phpSerialize ? 2 : 1
    return [
        changing(format, "many names", 2_000) { session(format, $0) { "i:\($0);" } },
        changing(format, "one long string", 1_000_000) { size in
            session(format, 1) { _ in "s:\(size):\"" + String(repeating: "x", count: size) + "\";" }
        },
        changing(format, "arrays inside each other", 5_000) { size in
            session(format, 1) { _ in
                String(repeating: "a:1:{i:0;", count: size) + "N;" + String(repeating: "}", count: size)
            }
        },
        changing(format, "many values in a list", 10_000) { size in
            session(format, 1) { _ in "a:\(size):{" + (0..<size).map { "i:\($0);N;" }.joined() + "}" }
        },
        changing(format, "many keys that look alike", 3_000) { size in
            session(format, 1) { _ in
                "a:\(size):{" + (0..<size).map { "s:15:\"same\(String($0 + 1_000_000))same\";N;" }.joined() + "}"
            }
        },
        changing(format, "many references to one variable", 2_000) {
            session(format, $0) { $0 == 0 ? "i:1;" : "R:\(first);" }
        },
        changing(format, "many references to variables of their own", 2_000) { size in
            session(format, size) { $0 % 2 == 0 ? "i:1;" : "R:\(first + $0 / 2);" }
        },
        changing(format, "a chain of objects", 2_000) { size in
            session(format, size) { number in
                "O:1:\"A\":1:{s:1:\"p\";" + (number == 0 ? "N;" : "r:\(first + 2 * (number - 1));") + "}"
            }
        },
        Shape("PHP's \(format)", "a chain of objects whose first are gone", 1_000) { size in
            let text = session(format, size) { number in
                "O:1:\"A\":1:{s:1:\"p\";" + (number == 0 ? "N;" : "r:\(first + 2 * (number - 1));") + "}"
            }
            return {
                var document = try PHPDocument(text, format: format, limits: limits)
                // Fifty objects move into the one after them.
                for number in 0..<min(size - 1, 50) { try document.remove(ByteString("n\(number)")) }
                use(try document.encoded())
            }
        },
        changing(format, "many cases of enums", 2_000) {
            session(format, $0) { "E:\(6 + "\($0)".count):\"Suit:C\($0)\";" }
        },
        Shape("PHP's \(format)", "changes of two writers to many names", 500) { size in
            let base = session(format, size) { "i:\($0);" }
            let mine = session(format, size) { "i:\($0 + 1);" }
            let theirs = session(format, size + 1) { "i:\($0);" }
            return { use(try PHPDocument.merged(mine, since: base, into: theirs, format: format, limits: limits)) }
        },
        Shape("PHP's \(format)", "changes of two writers to many objects", 300) { size in
            let base = session(format, size) { "O:1:\"A\":1:{s:1:\"p\";r:\(first + 2 * $0);}" }
            let mine = session(format, size) { "O:1:\"B\":1:{s:1:\"p\";r:\(first + 2 * $0);}" }
            let theirs = session(format, size + 1) { "O:1:\"A\":1:{s:1:\"p\";r:\(first + 2 * $0);}" }
            return { use(try PHPDocument.merged(mine, since: base, into: theirs, format: format, limits: limits)) }
        },
    ]
}

private func reading(_ name: String, _ size: Int, _ input: @escaping @Sendable (Int) -> [UInt8]) -> Shape {
    Shape("igbinary", name, size) { size in
        let bytes = [0, 0, 0, 2] + input(size)
        return { use(try PHPDocument(bytes, format: .igbinary, limits: limits)) }
    }
}

/// A type and a number of four bytes.
private func header(_ type: UInt8, _ number: Int) -> [UInt8] {
    [type] + (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
}

private let igbinaryShapes: [Shape] = [
    reading("arrays inside each other", 2_000) { size in
        (0..<size).flatMap { _ in [0x14, 1, 0x06, 0] as [UInt8] } + [0]
    },
    reading("many values", 2_000) { size in header(0x16, size) + (0..<size).flatMap { header(0x0A, $0) + [0] } },
    reading("many objects and references", 1_000) { size in
        header(0x16, 2 * size)
            + (0..<size).flatMap { number -> [UInt8] in
                header(0x0A, 2 * number) + [0x17, 1, 0x41, 0x14, 0] + header(0x0A, 2 * number + 1)
                    + header(0x24, number + 1)
            }
    },
    reading("an array given again and again", 1_000) { size in
        header(0x16, size + 1) + header(0x0A, size) + [0x14, 1, 0x06, 0, 0x06, 5]
            + (0..<size).flatMap { header(0x0A, $0) + [0x01, 1] }
    },
    reading("one long string", 1_000_000) { size in
        [0x14, 1, 0x06, 0] + header(0x13, size) + bytes("x", times: size)
    },
]

let phpShapes: [Shape] =
    formatShapes(.php) + formatShapes(.phpBinary) + formatShapes(.phpSerialize) + igbinaryShapes + [
        Shape("values of PHP", "a wide value", 3_000) { size in
            let text =
                Array("a:\(size):{".utf8) + bytes(upTo: size) { "s:\("k\($0)".count):\"k\($0)\";d:\($0).5;" }
                + Array("}".utf8)
            return {
                let value = try PHPValue(serialized: text, limits: limits)
                use(try value.serialized())
            }
        }
    ]
