import GalletaPlatform
import Sessions
import Testing

@Suite("An opaque value")
struct OpaqueValueTests {
    private static let value = SessionOpaqueValue(typeName: "App\\Cart", bytes: [0, 255, 0x4F, 0x3A])

    @Test("goes back byte by byte, wherever it stands, and empty, too")
    func roundTrip() throws {
        let empty = SessionValue.opaque(SessionOpaqueValue(typeName: "", bytes: []))
        let values: [SessionValue] = [
            .opaque(Self.value), empty, ["a": .opaque(Self.value)], [1, .opaque(Self.value), 2],
        ]
        for value in values {
            let stored = try SessionValues([(SessionKey("k"), value), (SessionKey("n"), .int(1))])
            #expect(stored["k"] == value && stored["n"] == 1)
            let again = try stored.withEncodedBytes { try SessionValues(encoded: $0) }
            #expect(again == stored)
            let bytes = try value.encoded()
            #expect(bytes.withUnsafeBytes { SessionValue(encoded: $0) } == value)
            #expect(bytes.dropLast().withUnsafeBytes { SessionValue(encoded: $0) } == nil)
        }
    }

    @Test("is kept by an update that does not understand it, and gone by intent only")
    func kept() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin { session in
            try session.set("cart", SessionValue.opaque(Self.value))
            try session.set("n", 1)
        }
        let session = fixture.open(id)
        #expect(try session.get("cart", as: [String: Int].self) == nil)
        let error = #expect(throws: SessionError.self) { try session.update("cart", default: 0) { $0 += 1 } }
        #expect(error?.code == .undecodable)
        try session.set("n", 2)
        _ = try session.commit()
        let later = fixture.open(id)
        #expect(try later.value("cart") == .opaque(Self.value))
        #expect(try later.get("cart", as: SessionValue.self) == .opaque(Self.value))
        try later.set("cart", [1])
        _ = try later.commit()
        #expect(try fixture.open(id).get("cart", as: [Int].self) == [1])
    }

    @Test("has no form in JSON, and says so by its type's name")
    func json() throws {
        let error = #expect(throws: SessionError.self) { try SessionValue.opaque(Self.value).jsonBytes() }
        #expect(error?.code == .notEncodable && error?.message.contains("App\\Cart") == true)
    }
}

@Suite("Encoded values")
struct EncodedValuesTests {
    @Test("pass through a provider that does not decode them")
    func passThrough() throws {
        let values = try SessionValues([
            (.user, .string("ada")), (SessionKey("n"), .int(1)), (SessionKey(""), .null),
            (SessionKey("long"), .bytes(.init(repeating: 7, count: 300))),
        ])
        var entries: [(SessionKey, [UInt8])] = []
        var count = 0
        values.forEachEncoded { key, value in
            entries.append((key, Array(value)))
            count += SessionValues.byteCount(ofKey: key.name.count, value: value.count)
        }
        #expect(count == values.byteCount)
        #expect(try SessionValues(encodedValues: entries) == values)
        #expect(throws: SessionError.self) { try SessionValues(encodedValues: entries + entries.prefix(1)) }
        #expect(throws: SessionError.self) { try SessionValues(encodedValues: [(SessionKey("k"), [250])]) }
        #expect(throws: SessionError.self) { try SessionValues(encodedValues: [(SessionKey("k"), [])]) }
        #expect(throws: SessionError.self) { try SessionValues(encodedValues: [(SessionKey("k"), [0, 0])]) }
    }

    @Test("of a patch are those that the record will hold")
    func patch() throws {
        var patch = SessionPatch()
        let large = SessionValue.string(String(repeating: "x", count: 1_000))
        try patch.set(large, for: SessionKey("k"))
        patch.remove(SessionKey("gone"))
        let encoded = patch.changes.map { $0.withEncodedValue { $0.map(Array.init) } }
        #expect(encoded == [try large.encoded(), nil])
    }
}
