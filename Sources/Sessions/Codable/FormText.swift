/// What the texts of a form stand for.
enum FormText {
    /// The text of a field, the first one if it was sent several times.
    static func first(of value: SessionValue) -> String? {
        switch value {
        case .string(let text): text
        case .array(let elements): if case .string(let text)? = elements.first { text } else { nil }
        default: nil
        }
    }

    /// What a field that was not sent stands for: a box that was not ticked, a list of which nothing was chosen.
    static func missing<T: Decodable>(_ type: T.Type) -> T? {
        if T.self == Bool.self { return (false as! T) }
        return try? T(from: ValueDecoder(value: .array([]), codingPath: [], source: .exact))
    }

    /// The value of a text as a number or a boolean; nil for types that are not read from texts here.
    ///
    /// Numbers may have blanks around them, as people type them; a box that is ticked sends `on` by default.
    static func decode<T: Decodable>(_ type: T.Type, from text: String, path: [any CodingKey]) throws -> T? {
        if T.self == String.self { return (text as! T) }
        let trimmed = text.drop { $0 == " " || $0 == "\t" }
        let word = String(trimmed.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        if T.self == Bool.self {
            switch word.lowercased() {
            case "on", "true", "yes", "1": return (true as! T)
            case "off", "false", "no", "0", "": return (false as! T)
            default: throw mismatch(type, "no yes or no", path)
            }
        }
        if T.self == Double.self || T.self == Float.self {
            guard let number = Double(word), number.isFinite, T.self == Double.self || Float(number).isFinite else {
                throw mismatch(type, "no number that fits", path)
            }
            return T.self == Double.self ? (number as! T) : (Float(number) as! T)
        }
        if let integer = type as? any FixedWidthInteger.Type {
            return try number(integer, word, path) as? T
        }
        return nil
    }

    private static func number<I: FixedWidthInteger>(
        _ type: I.Type, _ word: String, _ path: [any CodingKey]
    ) throws -> I {
        guard let number = I(word) else { throw mismatch(type, "no whole number from \(I.min) to \(I.max)", path) }
        return number
    }

    private static func mismatch(_ type: Any.Type, _ what: String, _ path: [any CodingKey]) -> DecodingError {
        .typeMismatch(type, .init(codingPath: path, debugDescription: what))
    }
}
