internal import CPlatform
internal import GalletaPlatform

/// How a worker gets on: what it has done since it had nothing to do, how long that took, and how much it may take next.
struct Pace {
    private var busySince = BootInstant(nanoseconds: 0)
    private var performed = 0
    /// How long one event takes, in nanoseconds: a moving average.
    private var serviceTime: Int64 = 0
    /// How many events it may take at once.
    private(set) var batchLimit = 1
    private var sampling: UInt32 = 0

    /// One event in so many is looked at for whether it gave up the processor, which costs a system call.
    private static let sampleInterval: UInt32 = 16

    /// It has something to do again, after it had nothing.
    mutating func wakeUp() {
        busySince = .now
    }

    /// It does one more thing.
    ///
    /// - Returns: How often the processor was given up so far, of one in sixteen.
    mutating func begin() -> Int? {
        performed += 1
        sampling &+= 1
        return sampling % Self.sampleInterval == 0 ? Int(cplatform_voluntary_switches()) : nil
    }

    /// That is done: tells the crew whether it waited for something.
    func end(_ switches: Int?, _ crew: Crew) {
        guard let switches else { return }
        crew.record(isBlocked: Int(cplatform_voluntary_switches()) != switches)
    }

    /// It has nothing to do: tells the crew what it has done since it had.
    mutating func rest(_ crew: Crew) {
        let now = BootInstant.now
        let duration = now.nanoseconds - busySince.nanoseconds
        if performed > 0 { serviceTime += (duration / Int64(performed) - serviceTime) / 8 }
        batchLimit = crew.record(performed, busy: duration, serviceTime: serviceTime, at: now)
        performed = 0
    }
}
