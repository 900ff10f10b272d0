import Sessions

@testable import MemorySessions

/// As the contract's conveniences, which may throw; this provider does not.
extension MemoryProvider {
    func read(_ id: SessionID) -> SessionRecord? {
        guard case .found(let record) = lookUp(SessionHandle(id)) else { return nil }
        return record
    }

    func retirement(of id: SessionID) -> SessionRetirement? {
        guard case .retired(let retirement) = lookUp(SessionHandle(id)) else { return nil }
        return retirement
    }

    func touch(_ id: SessionID) -> SessionTouch { touch(SessionHandle(id)) }

    func destroy(_ id: SessionID) -> Bool { destroy(SessionHandle(id)) }

    func rotate(_ id: SessionID, to new: SessionID, grace: Duration) -> SessionRotation {
        rotate(SessionHandle(id), to: new, grace: grace)
    }
}

extension MemoryKey {
    static func random() -> MemoryKey { SessionID.random().words }
}
