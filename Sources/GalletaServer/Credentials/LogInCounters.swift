internal import Galleta
internal import Synchronization

/// What has come of tries to log in, for the status.
///
/// Threading: any thread.
final class LogInCounters: Sendable {
    private let right = Atomic<Int>(0)
    private let failed = Atomic<Int>(0)
    private let throttled = Atomic<Int>(0)
    private let busy = Atomic<Int>(0)

    func count(_ outcome: LogInCheck.Outcome) {
        switch outcome {
        case .right: right.add(1, ordering: .relaxed)
        case .wrong, .unfit: failed.add(1, ordering: .relaxed)
        case .throttled: throttled.add(1, ordering: .relaxed)
        case .busy: busy.add(1, ordering: .relaxed)
        }
    }

    var status: StatusGroup {
        StatusGroup(
            title: "Log-ins",
            fields: [
                .counter("log-ins", "log_ins", "Right passwords.", right.load(ordering: .relaxed)),
                .counter(
                    "log-ins failed", "log_ins_failed", "Passwords that were wrong.", failed.load(ordering: .relaxed)),
                .counter(
                    "log-ins throttled", "log_ins_throttled", "Tries that were refused after too many wrong passwords.",
                    throttled.load(ordering: .relaxed)),
                .counter(
                    "log-ins busy", "log_ins_busy", "Tries that were refused because too many others went on.",
                    busy.load(ordering: .relaxed)),
            ])
    }
}
