import Sessions
import Testing

@testable import MemorySessions

@Suite("The index of users")
struct UserIndexTests {
    private struct Session {
        var serial: UInt64
        var id: MemoryKey
        var user: ByteString
        var lastSeen: Int64
    }

    private func expectSame(_ index: UserIndex, _ sessions: [Session], _ user: ByteString) {
        let own = sessions.filter { $0.user == user }.sorted { $0.lastSeen > $1.lastSeen }
        #expect(index.count(of: user) == own.count)
        #expect(index.newest(of: user, limit: .max).map(\.serial) == own.map(\.serial))
        #expect(index.newest(of: user, limit: 3).map(\.id) == own.prefix(3).map(\.id))
        #expect(index.oldest(of: user, sparing: nil)?.id == own.last?.id)
        #expect(index.oldest(of: user, sparing: own.last?.id)?.id == own.dropLast().last?.id)
        for session in own.prefix(3) {
            #expect(index.id(of: session.serial, user: user) == session.id)
            #expect(index.serial(of: session.id, user: user) == session.serial)
            #expect(index.id(of: session.serial, user: "nobody") == nil)
            #expect(index.serial(of: session.id, user: "nobody") == nil)
        }
    }

    @Test("says what a search of all sessions says, after any changes")
    func model() {
        let index = UserIndex()
        var sessions: [Session] = []
        // Each moment once, in no order: what is put in need not be the last seen.
        var moments = (1...20_000).map { Int64($0) }.shuffled()
        for round in 0..<6_000 {
            // Grows to about a thousand sessions, and shrinks to none.
            let grows = round < 3_000 ? Int.random(in: 0..<10) < 7 : Int.random(in: 0..<10) < 2
            let user: ByteString = "user \(Int.random(in: 0..<10) < 5 ? 0 : Int.random(in: 1..<400))"
            if grows || sessions.isEmpty {
                let new = Session(
                    serial: .random(in: .min ... .max), id: .random(), user: user, lastSeen: moments.removeLast())
                sessions.append(new)
                index.insert(new.id, user: user, serial: new.serial, lastSeen: new.lastSeen, isSorted: true)
            } else {
                let position = Int.random(in: sessions.indices)
                let one = sessions[position]
                switch Int.random(in: 0..<4) {
                case 0:
                    let new = MemoryKey.random()
                    index.move(one.id, to: new, user: one.user)
                    sessions[position].id = new
                case 1:
                    sessions[position].lastSeen = moments.removeLast()
                    index.seen(one.id, user: one.user, at: sessions[position].lastSeen)
                default:
                    index.remove(one.id, user: one.user)
                    sessions.swapAt(position, sessions.count - 1)
                    sessions.removeLast()
                }
            }
            if round % 20 == 0 {
                for user in [user, "user 0"] { expectSame(index, sessions, user) }
                #expect(index.count == sessions.count)
            }
        }
        for one in sessions { index.remove(one.id, user: one.user) }
        #expect(index.count == 0 && index.largestHolder == nil)
    }

    @Test("puts sessions in order that came in none, as from a file")
    func sorts() {
        let index = UserIndex()
        let sessions = (0..<2_000).map { number in
            Session(
                serial: UInt64(number), id: .random(), user: "user \(number % 7)", lastSeen: Int64(number * 997 % 2_003)
            )
        }
        for one in sessions {
            index.insert(one.id, user: one.user, serial: one.serial, lastSeen: one.lastSeen, isSorted: false)
        }
        index.sort()
        for user in 0..<7 { expectSame(index, sessions, "user \(user)") }
    }

    @Test("keeps sessions apart whose serials are equal, and users whose sessions went")
    func equalSerials() {
        let index = UserIndex()
        let ids = (0..<3).map { _ in MemoryKey.random() }
        for (number, id) in ids.enumerated() {
            index.insert(id, user: "user \(number)", serial: 7, lastSeen: 1, isSorted: true)
        }
        for (number, id) in ids.enumerated() {
            #expect(index.id(of: 7, user: "user \(number)") == id)
            index.remove(id, user: "user \(number)")
            #expect(index.id(of: 7, user: "user \(number)") == nil)
            #expect(index.newest(of: "user \(number)", limit: 9).isEmpty)
        }
        #expect(index.count == 0)
    }
}
