import Foundation
import GalletaPlatform

/// How long faults last, and how the tests are run.
enum FaultTime {
    private static let environment = ProcessInfo.processInfo.environment

    /// Seconds for each fault, which comes again until they are over; nil: a fault comes as often as its test says.
    static let seconds = environment["GALLETA_SOAK_SECONDS"].flatMap(Double.init)

    /// Under a sanitizer times say nothing.
    static let isSanitized = environment["GALLETA_SANITIZED"] == "1"

    /// The deadline of a provider's calls.
    static let timeout = Duration.milliseconds(isSanitized ? 1_000 : 250)

    /// The same where a disk has its part in each answer, which is nobody's fault here.
    static let diskTimeout = Duration.seconds(2)

    /// Runs `body` once, or until the time for a fault is over.
    static func again(once: Bool, _ body: () throws -> Void) rethrows {
        let end = BootInstant.now.advanced(by: .milliseconds(once ? 0 : Int64((seconds ?? 0) * 1_000)))
        repeat { try body() } while BootInstant.now < end
    }
}
