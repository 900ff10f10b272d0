import Sessions
import Testing

@Suite("A session value")
struct SessionValueTests {
    struct Profile: Codable, Equatable {
        enum Role: String, Codable { case admin, guest }
        struct Address: Codable, Equatable { var city: String; var numbers: [Int8] }
        enum Contact: Codable, Equatable { case mail(String), phone(Int, ext: Int?) }
        var name: String
        var age: UInt16?
        var height: Float
        var role: Role
        var tags: Set<String>
        var addresses: [String: Address]
        var contact: [Contact]
        var nested: [[Int?]]
        var raw: [UInt8]
    }

    class Base: Codable { var a = 1 }
    final class Derived: Base {
        var b = 2
        enum Keys: CodingKey { case b }
        override init() { super.init() }
        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            b = try container.decode(Int.self, forKey: .b)
            try super.init(from: container.superDecoder())
        }
        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(b, forKey: .b)
            try super.encode(to: container.superEncoder())
        }
    }

    static let samples: [SessionValue] = [
        nil, true, false, 0, 1, -1, .int(.max), .int(.min), 63, 64, -64, -65, 127, 128, 0.5, 1e300, -0.0, "",
        "é\u{0}/\"\\\n<",
        .bytes([]), .bytes([0, 255, 1]), [], [1, [2, nil], "x"], [:], ["a": 1, "": ["b": nil]],
        ["$bytes": "AA"], ["$$bytes": .bytes([1])], ["$bytes": 1, "x": 2],
        .string(String(repeating: "z", count: 70_000)),
    ]

    @Test("survives the compact form and JSON", arguments: samples)
    func roundTrips(value: SessionValue) throws {
        let values = try SessionValues([(SessionKey("k"), value)])
        #expect(values["k"] == value)
        let copy = try values.withEncodedBytes { try SessionValues(encoded: $0) }
        #expect(copy["k"] == value)
        #expect(try SessionValue(json: value.jsonBytes()) == value)
    }

    @Test("holds any Codable type")
    func codable() throws {
        let profile = Profile(
            name: "Ada", age: nil, height: 1.5, role: .admin, tags: ["x", "y"],
            addresses: ["home": .init(city: "Köln", numbers: [-128, 127])],
            contact: [.mail("a@b"), .phone(1, ext: nil)], nested: [[1, nil], []], raw: [1, 2])
        let value = try SessionValue(encoding: profile)
        #expect(try value.decode(Profile.self) == profile)
        #expect(try SessionValue(json: value.jsonBytes()).decode(Profile.self) == profile)
        guard case .object(let members) = value else {
            Issue.record("not an object")
            return
        }
        #expect(members.keys == ["name", "height", "role", "tags", "addresses", "contact", "nested", "raw"])
        #expect(members["raw"] == .bytes([1, 2]))
        let derived = Derived()
        derived.a = 7
        derived.b = 8
        let back = try SessionValue(encoding: derived).decode(Derived.self)
        #expect(back.a == 7 && back.b == 8)
        #expect(try SessionValue(encoding: ["v": SessionValue.bytes([9])]) == ["v": .bytes([9])])
        #expect(try SessionValue(encoding: Int?.none) == nil)
        #expect(try SessionValue.null.decode(Int?.self) == nil)
        #expect(try SessionValue.int(3).decode(Double.self) == 3)
        #expect(try SessionValue.double(3).decode(UInt8.self) == 3)
    }

    @Test("refuses to become what it is not")
    func mismatches() {
        #expect(throws: DecodingError.self) { try SessionValue.string("x").decode(Int.self) }
        #expect(throws: DecodingError.self) { try SessionValue.int(1).decode(Bool.self) }
        #expect(throws: DecodingError.self) { try SessionValue.int(1).decode(String.self) }
        #expect(throws: DecodingError.self) { try SessionValue.int(300).decode(UInt8.self) }
        #expect(throws: DecodingError.self) { try SessionValue.double(1.5).decode(Int.self) }
        #expect(throws: DecodingError.self) { try SessionValue.null.decode(Int.self) }
        #expect(throws: DecodingError.self) { try SessionValue.array([1]).decode([String].self) }
        #expect(throws: DecodingError.self) { try SessionValue.object(["a": 1]).decode(Profile.self) }
        #expect(throws: SessionError.self) { try SessionValue(encoding: UInt64.max) }
    }

    @Test("nests to 64 and no deeper, in each form")
    func depth() throws {
        func nested(_ depth: Int) -> SessionValue { (0..<depth).reduce(SessionValue.null) { value, _ in [value] } }
        let deepest = nested(64)
        #expect(try SessionValue(json: deepest.jsonBytes()) == deepest)
        #expect(try SessionValues([(SessionKey("k"), deepest)])["k"] == deepest)
        // Bytes are an object in JSON, but count as the plain value that they are.
        for bottom in [SessionValue.bytes([1]), .object([:])] {
            let deep = (0..<(bottom == [:] ? 63 : 64)).reduce(bottom) { value, _ in [value] }
            #expect(try SessionValue(json: deep.jsonBytes()) == deep)
            #expect(try SessionValues([(SessionKey("k"), deep)])["k"] == deep)
        }
        let object = String(repeating: "[", count: 64) + "{}" + String(repeating: "]", count: 64)
        #expect(throws: SessionError.self) { try SessionValue(json: Array(object.utf8)) }
        #expect(throws: SessionError.self) { try SessionValues([(SessionKey("k"), nested(65))]) }
        #expect(throws: SessionError.self) { try nested(65).jsonBytes() }
        let text = String(repeating: "[", count: 100_000)
        #expect(throws: SessionError.self) { try SessionValue(json: Array(text.utf8)) }
        final class Loop: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode(self)
            }
        }
        #expect(throws: SessionError.self) { try SessionValue(encoding: Loop()) }
    }

    @Test(
        "is written as JSON text",
        arguments: [
            (SessionValue.double(1), "1.0"), (.double(1e16), "1e+16"),
            (.string("\u{7f}\u{1}<é"), #""\u007f\u0001\u003cé""#),
            (["b": 1, "a": [true, nil]], #"{"b":1,"a":[true,null]}"#), (.bytes([255]), #"{"$bytes":"_w"}"#),
        ] as [(SessionValue, String)])
    func jsonText(value: SessionValue, text: String) throws {
        #expect(String(decoding: try value.jsonBytes(), as: UTF8.self) == text)
    }

    @Test("has no JSON for what is no number", arguments: [Double.nan, .infinity, -.infinity])
    func notANumber(number: Double) {
        #expect(throws: SessionError.self) { try SessionValue.double(number).jsonBytes() }
    }

    @Test(
        "is read from JSON text",
        arguments: [
            (" [ 1 , 2.5e-1 ,\t-0\n] ", SessionValue.array([1, 0.25, .double(-0.0)])),
            (#""\u00e9\ud83d\ude00\/\b""#, .string("é😀/\u{8}")),
            ("9223372036854775808", .double(9_223_372_036_854_775_808)),
            ("-9223372036854775808", .int(.min)),
            (#"{"a":1,"a":2}"#, ["a": 2]),
        ] as [(String, SessionValue)])
    func jsonReading(text: String, value: SessionValue) throws {
        #expect(try SessionValue(json: Array(text.utf8)) == value)
    }

    @Test(
        "is not read from what is no JSON",
        arguments: [
            "", " ", "nul", "nulll", "True", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "NaN", "1e999", "[1,]",
            "[1 2]",
            "[", "]", "{", "{a:1}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, "{1:2}", "'a'", "\"", "\"\\x\"", "\"\\u12\"",
            "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\n\"", "1 2", "[]]", "//x\n1", "\u{feff}1",
            #"{"$bytes":"A"}"#, #"{"$bytes":1}"#,
        ])
    func notJSON(text: String) {
        let error = #expect(throws: SessionError.self) { try SessionValue(json: Array(text.utf8)) }
        #expect(error?.code == .invalidEncoding)
    }

    @Test(
        "is not read from bytes that are no UTF-8",
        arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0xFF]] as [[UInt8]])
    func notUTF8(bytes: [UInt8]) {
        #expect(throws: SessionError.self) { try SessionValue(json: bytes) }
    }

    @Test(
        "an object of many members keeps their order and finds each after any removals", arguments: [0, 1, 7, 40, 99])
    func removesFromMany(first: Int) {
        var object = SessionObject()
        for number in 0..<100 { object["k\(number)"] = .int(Int64(number)) }
        var left = Array(0..<100)
        for step in 0..<95 {
            let removed = left.remove(at: (first + step * 37) % left.count)
            object["k\(removed)"] = nil
            #expect(object["k\(removed)"] == nil)
            #expect(object.map(\.value) == left.map { SessionValue.int(Int64($0)) })
            #expect(left.allSatisfy { object["k\($0)"] == .int(Int64($0)) })
        }
        object["k\(first)"] = "again"
        #expect(object.last?.value == "again" && object["k\(first)"] == "again")
    }
}
