internal import GalletaPlatform
internal import Sessions

extension MemorySlot {
    mutating func set(_ lifetime: SessionLifetime) {
        idleTimeout = lifetime.idleTimeout.nanoseconds
        absoluteDeadline = created.addingSaturated(lifetime.absoluteTimeout.nanoseconds)
    }

    /// True when the session has ended already with these timeouts.
    func isOver(with lifetime: SessionLifetime, touched: Bool, at now: Int64) -> Bool {
        var slot = self
        slot.set(lifetime)
        if touched { slot.lastSeen = now }
        return slot.deadline <= now
    }
}
