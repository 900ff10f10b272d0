internal import CPlatform
internal import GalletaPlatform

/// Gives free memory back to the system after a peak, as malloc does that only at the end of its heaps.
struct MemoryTrimmer {
    private var peak = 0
    private var last = BootInstant.now

    /// The least that is worth the while, in bytes.
    private static let least = 64 << 20
    private static let pause: Duration = .seconds(10)

    /// - Parameter held: The bytes that are held now.
    mutating func trim(held: Int) {
        peak = max(peak, held)
        guard peak - held > min(Self.least, max(peak / 4, 1 << 20)), last.duration(to: .now) >= Self.pause else {
            return
        }
        cplatform_trim_heap()
        peak = held
        last = .now
    }
}
