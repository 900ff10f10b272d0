internal import Glibc

/// Readings of the process and of the calling thread.
enum Measure {
    /// Nanoseconds of a clock.
    @inline(__always)
    static func nanoseconds(_ clock: clockid_t = CLOCK_MONOTONIC) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Resident bytes of the process.
    static func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "re") else { return 0 }
        defer { fclose(file) }
        var size = 0
        var resident = 0
        withUnsafeMutablePointer(to: &size) { size in
            withUnsafeMutablePointer(to: &resident) { resident in
                _ = withVaList([size, resident]) { vfscanf(file, "%ld %ld", $0) }
            }
        }
        return resident * sysconf(Int32(_SC_PAGESIZE))
    }

    /// How often the calling thread gave the processor up: by itself (it waits for a lock), and by force.
    static func switches() -> (voluntary: Int, forced: Int) {
        var usage = rusage()
        // 1 is RUSAGE_THREAD, which Glibc's module lacks.
        getrusage(1, &usage)
        return (usage.ru_nvcsw, usage.ru_nivcsw)
    }
}
