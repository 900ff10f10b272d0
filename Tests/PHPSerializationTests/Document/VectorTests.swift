import Foundation
import GalletaPlatform
import PHPSerialization
import Testing

@Suite("Sessions that PHP 8.2 wrote")
struct VectorTests {
    struct Vector: CustomTestStringConvertible, Sendable {
        let id: String
        let format: PHPFormat
        let bytes: [UInt8]
        /// JSON; see the schema in the index.
        let meaning: Data?
        let isRefused: Bool

        var testDescription: String { "\(id), \(format)" }
    }

    static let vectors: [Vector] = {
        let index = try? JSONSerialization.jsonObject(with: Data(bytes(of: "Vectors/index.json")))
        let cases = (index as? [String: Any])?["cases"] as? [[String: Any]] ?? []
        return cases.flatMap { entry -> [Vector] in
            PHPFormat.sessionFormats.compactMap { format in
                guard let handlers = entry["handlers"] as? [String: [String: Any]],
                    let handler = handlers[format.description], let file = handler["file"] as? String,
                    let bytes = try? bytes(of: "Vectors/\(file)"), let id = entry["id"] as? String
                else { return nil }
                let meaning = handler["meaning"] ?? entry["meaning"] ?? NSNull()
                return Vector(
                    id: id, format: format, bytes: bytes,
                    meaning: meaning is NSNull ? nil : try? JSONSerialization.data(withJSONObject: meaning),
                    // What PHP left behind when it failed to write a session.
                    isRefused: handler["php_exception"] != nil)
            }
        }
    }()

    @Test("all of them are there")
    func all() {
        #expect(Self.vectors.count == 3 * 66)
        #expect(Self.vectors.count(where: \.isRefused) == 3)
    }

    @Test("each goes back byte by byte, by itself and put together anew", arguments: vectors)
    func roundTrip(vector: Vector) throws {
        if vector.isRefused {
            #expect(throws: PHPSerializationError.self) { try PHPDocument(vector.bytes, format: vector.format) }
            return
        }
        var document = try PHPDocument(vector.bytes, format: vector.format)
        #expect(try document.encoded() == vector.bytes)
        // A change that is taken back leaves nothing but the writer's work. Beside a `C:` nothing is removed.
        try document.set("galleta", to: 1)
        if vector.id.contains("custom") {
            let start = vector.format == .phpSerialize ? 4 : 0
            let kept = vector.bytes.dropFirst(start).dropLast(vector.format == .phpSerialize ? 1 : 0)
            #expect(try document.encoded().dropFirst(start).starts(with: kept))
        } else {
            try document.remove("galleta")
            #expect(try document.encoded() == vector.bytes)
        }
    }

    @Test("each means what PHP meant", arguments: vectors.filter { $0.meaning != nil && !$0.isRefused })
    func meaning(vector: Vector) throws {
        let document = try PHPDocument(vector.bytes, format: vector.format)
        let json = try JSONSerialization.jsonObject(with: try #require(vector.meaning))
        var meaning = Meaning()
        let elements = try #require(json as? [[Any]])
        let expected = PHPValue.array(meaning.elements(elements, path: "", isArray: true))
        if vector.id.contains("custom-nested") {
            // The numbers after it are known to its class only.
            #expect(document.names == expected.array?.elements.map(\.key.text))
        } else {
            // NAN is not equal to itself.
            let root = try document.root()
            #expect(try root == expected || root.serialized() == expected.serialized())
        }
        for (name, value) in zip(document.names, expected.array?.elements.map(\.value) ?? []) {
            switch value {
            case .int, .string, .bool, .null: #expect(try document.value(name) == value)
            default: break
            }
        }
    }
}

/// Values of the index's JSON, with numbers in place of paths.
private struct Meaning {
    private var lastNumber = 1
    private var numbers: [String: Int] = [:]

    mutating func elements(_ pairs: [[Any]], path: String, isArray: Bool) -> PHPArray {
        PHPArray(
            pairs.map { pair in
                let key = key(pair[0], isArray: isArray)
                return PHPArray.Element(key: key, value: value(pair[1], path: path + step(pair[0])))
            })
    }

    private func step(_ key: Any) -> String {
        let key = key as? [String: String] ?? [:]
        return key.map { "/\($0.key)=\($0.value)" }.joined()
    }

    private func key(_ json: Any, isArray: Bool) -> PHPKey {
        let key = json as? [String: String] ?? [:]
        if let number = key["i"] { return .int(Int(number)!) }
        return .string(key["s"].map { ByteString($0) } ?? ByteString(bytes: [UInt8](hex: key["hex"] ?? "")))
    }

    private mutating func value(_ json: Any, path: String) -> PHPValue {
        let value = json as? [String: Any] ?? [:]
        let type = value["t"] as? String ?? ""
        let target = (value["to"] as? [Any])?.map { step($0) }.joined() ?? ""
        if type == "ref" { return .reference(to: numbers[target] ?? -1) }
        lastNumber += 1
        numbers[path] = lastNumber
        let text = value["v"] as? String ?? ""
        let className = ByteString(value["class"] as? String ?? "")
        switch type {
        case "null": return .null
        case "bool": return .bool(value["v"] as? Bool ?? false)
        case "int": return .int(Int(text)!)
        case "float": return .double(Double(bitPattern: UInt64(value["bits"] as? String ?? "", radix: 16)!))
        case "string":
            return .string((value["hex"] as? String).map { ByteString(bytes: [UInt8](hex: $0)) } ?? ByteString(text))
        case "array": return .array(elements(value["e"] as? [[Any]] ?? [], path: path, isArray: true))
        case "object":
            return .object(
                PHPObject(
                    className: className, members: elements(value["p"] as? [[Any]] ?? [], path: path, isArray: false)))
        case "enum":
            return .enumCase(PHPEnumCase(className: className, name: ByteString(value["case"] as? String ?? "")))
        case "sameobj": return .sameObject(as: numbers[target] ?? -1)
        case "custom":
            let payload = [UInt8](hex: value["hex"] as? String ?? "")
            let head = "C:\(className.count):\"\(className)\":\(payload.count):{"
            return (try? PHPValue(serialized: Array(head.utf8) + payload + [UInt8(ascii: "}")])) ?? .null
        default: return .string("unknown type \(type)")
        }
    }
}
