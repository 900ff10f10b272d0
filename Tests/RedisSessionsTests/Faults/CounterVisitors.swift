import GalletaPlatform
import Sessions

/// A counter in a session that several visitors share, as the tabs of one browser do; they add to it by compare-and-set.
final class SharedCounter: Sendable {
    private struct Ledger {
        /// The numbers that were acknowledged, and when, since the last settlement.
        var numbers: [Int: BootInstant] = [:]
        var highest = 0
        /// Where it stood at the last settlement.
        var base = 0
        /// Additions that were not acknowledged and may have been made.
        var unknown = 0
    }

    let id: SessionID
    let owner = FaultSite.token()
    private let site: FaultSite
    private let ledger = Locked(Ledger())

    static let key = SessionKey("n")

    init(_ site: FaultSite, begunBy start: FaultSite) throws {
        self.site = site
        id = try start.begin(owner)
        site.book.used(id)
    }

    func add() throws {
        let floor = ledger.withLock { $0.highest }
        let session = site.open(id)
        guard try session.get(FaultSite.owner.name, as: String.self) == owner else {
            return site.book.wrong("the shared session is gone, or another's", isLoss: true)
        }
        let number: Int
        do {
            number = try session.update(Self.key.name, default: 0) { (count: inout Int) in
                count += 1
                return count
            }
        } catch let error as SessionStoreError {
            if error.isOutcomeUnknown { ledger.withLock { $0.unknown += 1 } }
            throw error
        }
        let isNew = ledger.withLock { ledger in
            ledger.highest = max(ledger.highest, number)
            return ledger.numbers.updateValue(.now, forKey: number) == nil
        }
        site.book.acknowledged()
        if !isNew {
            ledger.withLock { $0.highest = number }
            site.book.wrong("the shared counter was \(number) twice", isLoss: true)
        } else if number <= floor {
            site.book.wrong("the shared counter was \(floor), then \(number)", isLoss: true)
        }
        let commit = try session.commit()
        if commit.isLost { site.book.wrong("the shared session was lost", isLoss: true) }
        if let new = site.id(in: commit), new != id { site.book.wrong("the shared session has another cookie") }
    }

    /// Compares with what Redis has, while nobody adds.
    ///
    /// - Parameter window: What was acknowledged after this may be lost, and is counted.
    func settle(with provider: some SessionProvider, lossSince window: BootInstant?) throws {
        guard case .found(let record) = try provider.lookUp(SessionHandle(id)), record.successor == nil else {
            return site.book.wrong("the shared session is gone")
        }
        site.check(record, owner)
        let number: Int = if case .int(let number)? = record.values[Self.key] { Int(number) } else { 0 }
        ledger.withLock { ledger in
            let (least, most) = (
                ledger.base + ledger.numbers.count, ledger.base + ledger.numbers.count + ledger.unknown
            )
            if let window {
                // A number may have been given again after its loss: what is missing is what counts.
                let lost = ledger.numbers.filter { $0.key > number }
                site.book.lost(max(0, least - number))
                if let first = lost.values.min(), first < window {
                    site.book.wrong("the shared counter lost what is older than it may be")
                }
            } else if number < least || number > most {
                site.book.wrong("the shared counter is \(number), not within \(least) and \(most)")
            }
            ledger = Ledger(highest: number, base: number)
        }
    }
}

/// One of those who share it.
struct SharedCounterVisitor: FaultVisitor {
    let counter: SharedCounter

    mutating func visit() throws { try counter.add() }
}

/// A counter of one visitor's, who sees each step of compare-and-set: no more than one unknown addition is ever open.
struct OwnCounterVisitor: FaultVisitor {
    private let site: FaultSite
    private let id: SessionID
    private let owner = FaultSite.token()
    private var acknowledged = 0
    private var unknown = 0
    /// Those of the book's that are in what is known here.
    private var losses = 0

    init(_ site: FaultSite, begunBy start: FaultSite) throws {
        self.site = site
        id = try start.begin(owner)
        site.book.used(id)
    }

    mutating func visit() throws {
        guard case .found(let record) = try site.provider.lookUp(SessionHandle(id)) else {
            return site.book.wrong("a visitor's own session is gone", isLoss: true)
        }
        site.check(record, owner)
        let number = if case .int(let number)? = record.values[SharedCounter.key] { Int(number) } else { 0 }
        if losses < site.book.losses {
            losses = site.book.losses
            site.book.lost(max(0, acknowledged - number))
            (acknowledged, unknown) = (number, 0)
        }
        if number < acknowledged || number > acknowledged + unknown {
            site.book.wrong("an own counter is \(number), not \(acknowledged) and \(unknown) more", isLoss: true)
        }
        // One that was given up may still arrive, until another one has taken its place.
        if number != acknowledged { (acknowledged, unknown) = (number, 0) }
        var patch = SessionPatch()
        try patch.set(.int(Int64(number + 1)), for: SharedCounter.key)
        do {
            switch try site.provider.commit(
                patch, to: SessionHandle(id, lease: record.lease), expecting: record.version)
            {
            case .committed(let version, _, _):
                if version != record.version + 1 { site.book.wrong("version \(version) after \(record.version)") }
                (acknowledged, unknown) = (number + 1, 0)
                site.book.acknowledged()
            case .conflict(let now):
                site.check(now, owner)
                if unknown == 0 || now.version != record.version + 1 {
                    site.book.wrong("a conflict with nobody", isLoss: true)
                }
                (acknowledged, unknown) = (number + 1, 0)
            default:
                site.book.wrong("an own session was lost", isLoss: true)
            }
        } catch let error as SessionStoreError {
            if error.isOutcomeUnknown { unknown = 1 }
            throw error
        }
    }
}
