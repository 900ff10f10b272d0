import GalletaPlatform
import Testing

/// Runs the tests of a suite on three threads of their own.
///
/// They wait for servers, seconds sometimes; on the threads that all tests share, of which there are as many as processors,
/// tests elsewhere that only want a turn would wait for them.
struct BlockingTests: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(Threads.shared, operation: function)
    }

    private final class Threads: TaskExecutor {
        static let shared = Threads()

        private let jobs = Monitor<[UnownedJob]>([])

        private init() {
            for number in 0..<3 {
                // Without a thread nothing here can run, and the tests say so by their time limit.
                _ = try? SystemThread(name: "blocking-\(number)") { [jobs] in
                    while true {
                        let job = jobs.wait(until: { !$0.isEmpty }) { $0.removeFirst() }
                        job.runSynchronously(on: Threads.shared.asUnownedTaskExecutor())
                    }
                }
            }
        }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            jobs.withLock { $0.append(job) }
            jobs.wakeOne()
        }
    }
}

extension Trait where Self == BlockingTests {
    /// For suites whose tests wait for servers.
    static var blocking: Self { BlockingTests() }
}
