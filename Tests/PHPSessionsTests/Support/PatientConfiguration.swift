@testable import PHPSessions

extension PHPProvider.Configuration {
    /// As many wait as there are, and for long enough on a busy machine.
    mutating func bePatient() {
        waiters = 100
        waitersPerSession = 100
        waitingCallers = 100
        shortTimeout = .seconds(30)
        lockTimeout = .seconds(30)
    }
}
