internal import CPlatform
internal import GalletaPlatform

/// Gives free memory back to the system after a peak, as malloc does that only at the end of its heaps.
///
/// malloc locks a heap while it looks through all of it: 15 to 25 ms after a million sessions, several times as long if
/// half of them stay, for little gain. So it is asked only when most of a large peak is gone.
struct MemoryTrimmer {
    private var peak = 0
    private var last: BootInstant

    /// The least that is worth the while, in bytes.
    private static let least = 64 << 20
    private static let pause: Duration = .seconds(10)

    init(at now: BootInstant) {
        last = now
    }

    /// - Parameter held: The bytes that are held now.
    mutating func trim(held: Int, at now: BootInstant) {
        if isDue(held: held, at: now) { cplatform_trim_heap() }
    }

    /// True at most once after a peak.
    mutating func isDue(held: Int, at now: BootInstant) -> Bool {
        peak = max(peak, held)
        guard peak - held >= Self.least, held <= peak / 4, last.duration(to: now) >= Self.pause else { return false }
        peak = held
        last = now
        return true
    }
}
