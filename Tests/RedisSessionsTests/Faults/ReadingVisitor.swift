import GalletaPlatform
import Sessions

/// Sessions that were there before the fault, and that nobody changes.
struct Bystanders: Sendable {
    let ids: [(id: SessionID, owner: String)]

    init(_ count: Int, at site: FaultSite) throws {
        ids = try (0..<count).map { number in
            let owner = FaultSite.token()
            return (try site.begin(owner, user: number % 2 == 0 ? nil : ByteString("bystander \(number % 7)")), owner)
        }
    }

    /// Complains unless each is there, and its owner's.
    func check(with provider: some SessionProvider, _ site: FaultSite) throws {
        for (id, owner) in ids {
            guard case .found(let record) = try provider.lookUp(SessionHandle(id)) else {
                site.book.wrong("a session from before the fault is gone")
                continue
            }
            site.check(record, owner)
        }
    }
}

/// Reads sessions, several at a time, with ids of nobody's and ended ones among them, and notes visits.
struct ReadingVisitor: FaultVisitor {
    let site: FaultSite
    let bystanders: Bystanders

    mutating func visit() throws {
        var candidates = SessionIDCandidates()
        let some = bystanders.ids.shuffled().prefix(2)
        for (id, _) in some { candidates.add(id) }
        candidates.add(.random())
        let ended = site.book.anEndedID
        if let ended { candidates.add(ended) }
        let findings = try site.provider.lookUp(candidates)
        for ((_, owner), finding) in zip(some, findings) {
            if case .found(let record) = finding {
                site.check(record, owner)
            } else {
                site.book.wrong("a session from before the fault is not found")
            }
        }
        if case .none = findings[2] {} else { site.book.wrong("an id of nobody's leads somewhere") }
        if ended != nil, case .found = findings[3] { site.book.wrong("a log-out is undone", isLoss: true) }
        if case .gone = try site.provider.touch(SessionHandle(some[0].id)) {
            site.book.wrong("a session from before the fault is gone at a touch")
        }
    }
}
