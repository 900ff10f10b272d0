import Foundation
import GalletaPlatform
import Sessions
import SessionsTesting
import Testing

@Suite("Names in sessions")
struct SessionNamesTests {
    private static let composed: ByteString = "jos\u{e9}"
    private static let decomposed: ByteString = "jose\u{301}"
    private static let latin = ByteString(bytes: [0x6a, 0x6f, 0x73, 0xe9])
    private static let replaced: ByteString = "jos\u{fffd}"
    private static let all = [composed, decomposed, latin, replaced]

    @Test("are written as literals where a handler uses them")
    func literals() throws {
        let fixture = try SessionFixture()
        let number = 7
        let id = try fixture.begin { session in
            try session.set("visits", 1)
            try session.set("item-\(number)", "figs")
            try session.setFlash("notice", "saved")
            try session.logIn(user: "ada")
        }
        let session = fixture.open(id)
        let name: String = "ada"
        #expect(try session.get("visits") == 1)
        #expect(
            try session.update("visits", default: 0) { (visits: inout Int) in
                visits += 1; return visits
            } == 2)
        #expect(try session.get("item-7") == "figs")
        #expect(try session.popFlash("notice") == "saved")
        #expect(try session.user == "ada")
        #expect(try session.user == ByteString(name))
        try session.logIn(user: name)
        #expect(try Set(session.keys) == ["visits", "item-7"])
    }

    @Test("of keys that differ in their bytes are as many keys, through every way of a handler")
    func keys() throws {
        let undecodable = Locked<[ByteString]>([])
        let fixture = try SessionFixture { configuration in
            configuration.onEvent = { event in
                if case .undecodable(let key, _) = event { undecodable.withLock { $0.append(key) } }
            }
        }
        let id = try fixture.begin { session in
            for (number, key) in Self.all.enumerated() {
                try session.set(key, number)
                try session.setFlash(key, -number)
            }
        }
        let session = fixture.open(id)
        #expect(try session.keys == Self.all)
        for (number, key) in Self.all.enumerated() {
            #expect(try session.get(key) == number)
            try session.update(key, default: 0) { (value: inout Int) in value += 10 }
            #expect(try session.popFlash(key) == -number)
        }
        try session.delete(Self.decomposed)
        #expect(try session.set(Self.latin, "text", ifVersion: session.version))
        _ = try session.commit()
        let next = fixture.open(id)
        #expect(try Set(next.keys) == [Self.composed, Self.latin, Self.replaced])
        #expect(try next.get(Self.composed) == 10)
        #expect(try next.get(Self.latin) == "text")
        #expect(try next.get(Self.replaced) == 13)
        #expect(try next.get(Self.latin, as: Int.self) == nil)
        #expect(undecodable.withLock { $0 } == [Self.latin])
    }

    @Test("of users that differ in their bytes are as many users: what one leaves, sees or ends is not another's")
    func users() throws {
        let fixture = try SessionFixture { $0.maximumSessionsPerUser = 1 }
        let ids = try Self.all.map { user in
            try fixture.begin {
                try $0.logIn(user: user)
                try $0.set("secret", user)
            }
        }
        for (id, user) in zip(ids, Self.all) {
            let session = fixture.open(id)
            // A cap of one ended nobody else's.
            #expect(try session.user == user)
            #expect(try session.get("secret") == user)
            #expect(try session.userSessions(limit: .max).total == 1)
            #expect(try fixture.manager.sessions(of: user, limit: .max).total == 1)
        }
        let references = try ids.map { try fixture.open($0).userSessions(limit: .max).sessions[0].reference }
        #expect(try !fixture.open(ids[0]).endUserSession(references[1]))
        #expect(try fixture.open(ids[0]).endOtherUserSessions() == 0)
        // To log in as another one in a session of one's own leaves no value behind.
        let session = fixture.open(ids[0])
        try session.logIn(user: Self.decomposed)
        #expect(try session.get("secret", as: ByteString.self) == nil)
        _ = try session.commit()
        #expect(try fixture.manager.endSessions(of: Self.latin) == 1)
        #expect(try fixture.open(ids[3]).user == Self.replaced)
    }

    @Test("of users are the same bytes for the check of their credentials")
    func stamps() throws {
        let fixture = try SessionFixture { $0.stampCheck = { user, _ in user == Self.composed } }
        let kept = try fixture.begin { try $0.logIn(user: Self.composed) }
        let ended = try fixture.begin { try $0.logIn(user: Self.decomposed) }
        #expect(try fixture.open(kept).user == Self.composed)
        #expect(try fixture.open(ended).user == nil)
    }

    @Test("survive encoding, whatever their bytes")
    func encoding() throws {
        let values = try SessionValues(
            Self.all.map { (SessionKey($0), .object([$0: .name($0)])) } + [(.user, .name(Self.latin))])
        let read = try values.withEncodedBytes { try SessionValues(encoded: $0) }
        #expect(read.keys == Self.all)
        #expect(read.user == Self.latin)
        for name in Self.all { #expect(read[name] == .object([name: .name(name)])) }
    }

    @Test("of an object's members are compared as bytes, up to sixteen and beyond", arguments: [0, 40])
    func members(more: Int) {
        var object = SessionObject((0..<more).map { (ByteString("key \($0)"), 0) })
        for (number, name) in Self.all.enumerated() { object[name] = .int(Int64(number)) }
        #expect(object.count == more + 4)
        object[Self.composed] = nil
        #expect(object[Self.composed] == nil)
        #expect(object[Self.decomposed] == 1 && object[Self.latin] == 2 && object[Self.replaced] == 3)
    }

    @Test("that are not UTF-8 have no form in JSON, and say so")
    func json() throws {
        for value: SessionValue in [[Self.latin: 1], [["a": .object([Self.latin: 1])]]] {
            do {
                _ = try value.jsonBytes()
                Issue.record("a key that is not UTF-8 was written")
            } catch let error as SessionError {
                #expect(error.code == .notEncodable && error.message.contains("UTF-8"))
            }
            #expect(throws: EncodingError.self) { try JSONEncoder().encode(value) }
        }
        // As text and as bytes, the user has a form.
        #expect(try SessionValue.name(Self.latin).jsonBytes() == Array(#"{"$bytes":"am9z6Q"}"#.utf8))
        let both = try SessionValue(json: Array("{\"\u{e9}\":1,\"e\u{301}\":2}".utf8))
        #expect(both == ["\u{e9}": 1, "e\u{301}": 2])
        #expect(try SessionValue(json: both.jsonBytes()) == both)
    }

    @Test("are Codable: text where they are UTF-8, else bytes")
    func codable() throws {
        for name in Self.all {
            let value = try SessionValue(encoding: [name])
            #expect(value == [.name(name)])
            #expect(try value.decode([ByteString].self) == [name])
            #expect(try JSONDecoder().decode([ByteString].self, from: JSONEncoder().encode([name])) == [name])
        }
    }

    @Test("of sessions in a list are compared as bytes")
    func references() {
        // U+212A is canonically equivalent to K.
        #expect(SessionReference(rawValue: "K") != SessionReference(rawValue: "\u{212a}"))
        #expect(Set([SessionReference(rawValue: "K"), SessionReference(rawValue: "\u{212a}")]).count == 2)
    }
}
