import Foundation
import GalletaPlatform
import Glibc

/// The wall clock of another process, which a test moves forward: a library that is loaded before its own ones.
///
/// (libfaketime does the same, but not in a process whose memory jemalloc manages.)
final class MovableClock: Sendable {
    /// What the process is to be started with.
    let environment: [String: String]
    private let offsetFile: String
    /// In milliseconds.
    private let offset = Locked<Int64>(0)

    private static let source = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdint.h>
        #include <stdlib.h>
        #include <sys/mman.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>

        static volatile int64_t *milliseconds;

        __attribute__((constructor)) static void begin(void) {
            int file = open(getenv("MOVABLE_CLOCK"), O_RDONLY);
            void *page = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
            if (page != MAP_FAILED) milliseconds = page;
            close(file);
        }

        static void move(struct timespec *time) {
            int64_t offset = milliseconds ? *milliseconds : 0;
            time->tv_sec += offset / 1000;
            time->tv_nsec += offset % 1000 * 1000000;
            if (time->tv_nsec >= 1000000000) { time->tv_nsec -= 1000000000; time->tv_sec++; }
        }

        int clock_gettime(clockid_t clock, struct timespec *time) {
            int result = syscall(SYS_clock_gettime, clock, time);
            if (!result && clock == CLOCK_REALTIME) move(time);
            return result;
        }

        int gettimeofday(struct timeval *restrict time, void *restrict zone) {
            struct timespec now;
            (void)zone;
            if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
            time->tv_sec = now.tv_sec;
            time->tv_usec = now.tv_nsec / 1000;
            return 0;
        }

        time_t time(time_t *out) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            if (out) *out = now.tv_sec;
            return now.tv_sec;
        }
        """

    /// - Parameter folder: Where its files are.
    init(in folder: TemporaryFolder) throws {
        offsetFile = folder.file("clock")
        let (code, library) = (folder.file("clock.c"), folder.file("clock.so"))
        try Data(count: 8).write(to: URL(fileURLWithPath: offsetFile))
        try Self.source.write(toFile: code, atomically: true, encoding: .utf8)
        let made = try ChildProcess.run("cc", ["-shared", "-fPIC", "-O1", "-o", library, code])
        guard made.code == 0 else { throw TestFailure(description: "no library for the clock: \(made.output)") }
        environment = ["LD_PRELOAD": library, "MOVABLE_CLOCK": offsetFile]
    }

    /// Moves the clock forward.
    func advance(by duration: Duration) throws {
        let (seconds, attoseconds) = duration.components
        let moved = offset.withLock { offset in
            offset += seconds * 1_000 + attoseconds / 1_000_000_000_000_000
            return offset
        }
        let file = open(offsetFile, O_WRONLY)
        defer { close(file) }
        // In place: the process has it mapped.
        let written = withUnsafeBytes(of: moved.littleEndian) { pwrite(file, $0.baseAddress, $0.count, 0) }
        guard written == 8 else { throw TestFailure(description: "the clock does not move") }
    }
}
