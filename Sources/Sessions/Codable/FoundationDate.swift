internal import GalletaPlatform

/// Foundation's `Date`, in programs that have it: known without depending on it.
///
/// It encodes itself as a number of seconds since 2001; in JSON, and in what browsers send, a date is a text (ISO 8601, RFC
/// 3339).
enum FoundationDate {
    private static let type: ObjectIdentifier? = _typeByName("20FoundationEssentials4DateV").map {
        ObjectIdentifier($0)
    }
    /// From 1970 to 2001.
    private static let epoch = 978_307_200.0

    static func isOne(_ other: Any.Type) -> Bool { ObjectIdentifier(other) == type }

    /// The text of a date that has encoded itself.
    static func text(of encoded: SessionValue, _ path: [any CodingKey]) throws -> SessionValue {
        guard case .double(let seconds) = encoded, let text = CivilDate.text(ofSeconds: seconds + epoch) else {
            throw EncodingError.invalidValue(
                encoded, .init(codingPath: path, debugDescription: "a date beyond the years 0 to 9999"))
        }
        return .string(text)
    }

    /// What a date decodes itself from.
    static func number(of text: String, _ path: [any CodingKey]) throws -> SessionValue {
        guard let seconds = CivilDate.seconds(ofText: text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: path, debugDescription: "no date such as 2026-11-28T09:30:00Z"))
        }
        return .double(seconds - epoch)
    }
}
