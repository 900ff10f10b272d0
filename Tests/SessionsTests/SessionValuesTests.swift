import Testing

@testable import Sessions

@Suite("The values of a session")
struct SessionValuesTests {
    func make(_ members: KeyValuePairs<String, SessionValue>) throws -> SessionValues {
        try SessionValues(members.map { (SessionKey($0.key), $0.value) })
    }

    @Test("change by a patch into a new block, and the old one stays")
    func patches() throws {
        let old = try make(["a": 1, "b": 2, "": "empty key", "n\u{0}/é": 3])
        var patch = SessionPatch()
        try patch.set(10, for: SessionKey("a"))
        patch.remove(SessionKey("b"))
        patch.remove(SessionKey("missing"))
        // In one patch the last change of a key counts.
        patch.remove(SessionKey("c"))
        try patch.set(1, for: SessionKey("c"))
        try patch.set(1, for: SessionKey("d"))
        patch.remove(SessionKey("d"))
        let new = try old.applying(patch, limits: SessionLimits())
        #expect(new == (try make(["": "empty key", "n\u{0}/é": 3, "a": 10, "c": 1])))
        #expect(new.keys == ["", "n\u{0}/é", "a", "c"])
        #expect(new.count == 4)
        #expect(old["a"] == 1 && old["b"] == 2 && old.count == 4)
    }

    @Test("keep reserved keys apart from those of the application")
    func reserved() throws {
        var patch = SessionPatch()
        try patch.set("ada", for: .user)
        try patch.set("not a user", for: SessionKey("user"))
        let values = try SessionValues().applying(patch, limits: SessionLimits())
        #expect(values.user == "ada")
        #expect(values["user"] == "not a user")
        #expect(values.keys == ["user"])
        #expect(values.count == 1)
        #expect(values.entryKeys.count == 2)
        #expect(patch.changes.map(\.key) == [.user, SessionKey("user")])
        #expect(patch.changes.map(\.value) == ["ada", "not a user"])
    }

    @Test("are held to limits, but may shrink above them")
    func limits() throws {
        let values = try make(["a": .string(String(repeating: "x", count: 300)), "b": 1, "c": 2])
        var smaller = SessionPatch()
        try smaller.set(.string(String(repeating: "x", count: 200)), for: SessionKey("a"))
        _ = try values.applying(smaller, limits: SessionLimits(bytes: 100, keys: 1))
        var larger = SessionPatch()
        try larger.set("xyz", for: SessionKey("b"))
        #expect(throws: SessionError.self) { try values.applying(larger, limits: SessionLimits(bytes: 100)) }
        var another = SessionPatch()
        try another.set(1, for: SessionKey("d"))
        #expect(throws: SessionError.self) { try values.applying(another, limits: SessionLimits(keys: 3)) }
        _ = try values.applying(another, limits: SessionLimits(keys: 4))
    }

    @Test("are refused when their bytes are damaged anywhere, or read as other values, and never crash")
    func damaged() throws {
        let values = try make(["a": [1, "text", ["k": nil]], "b": .bytes([1, 2, 3]), "c": 0.5, "d": .int(.min)])
        let bytes = values.withEncodedBytes { Array($0) }
        for count in 1..<bytes.count {
            let cut = try? bytes[..<count].withUnsafeBytes { try SessionValues(encoded: $0) }
            // A cut between entries is a shorter block; elsewhere it is damage.
            #expect(cut == nil || cut!.count < values.count)
        }
        for position in bytes.indices {
            for flip in [1, 0x80, 0xFF] as [UInt8] {
                var damaged = bytes
                damaged[position] ^= flip
                if let read = try? damaged.withUnsafeBytes({ try SessionValues(encoded: $0) }) {
                    _ = read.keys.map { read[$0] }
                }
            }
        }
        // A length written with a byte too many would hide the key from a patch.
        let long: [UInt8] = [0x82, 0x00, 0x61, 0x01, 0x00]
        #expect(throws: SessionError.self) { try long.withUnsafeBytes { try SessionValues(encoded: $0) } }
        let twice = bytes + bytes
        #expect(throws: SessionError.self) { try twice.withUnsafeBytes { try SessionValues(encoded: $0) } }
    }

    @Test("a patch of many changes holds one a key, the last, wherever it is dropped and set again")
    func manyChanges() throws {
        var patch = SessionPatch()
        for round in 0..<3 {
            for number in 0..<100 { try patch.set(.int(Int64(round)), for: SessionKey("k\(number)")) }
            #expect(patch.changes.count == 100)
            for number in stride(from: round, to: 100, by: 3) { patch.drop(SessionKey("k\(number)")) }
            #expect(patch.contains(SessionKey("k\(round)")) == false)
            #expect(patch.contains(SessionKey("k\(round + 1)")))
        }
        for number in 0..<50 { patch.remove(SessionKey("k\(number)")) }
        #expect(Set(patch.changes.map(\.key)).count == patch.changes.count)
        let values = try SessionValues((0..<120).map { (SessionKey("k\($0)"), .int(9)) })
        let merged = try values.applying(patch, limits: SessionLimits())
        for number in 0..<120 {
            let expected: SessionValue? =
                number < 50 ? nil : number < 100 && number % 3 != 2 ? .int(2) : .int(9)
            #expect(merged["k\(number)"] == expected, "k\(number)")
        }
        patch.removeAll()
        #expect(patch.isEmpty && !patch.contains(SessionKey("k1")))
    }
}
