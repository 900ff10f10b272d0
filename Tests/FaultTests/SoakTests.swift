import Foundation
import Glibc
import TestSupport
import Testing

/// Hours of a bad day in some minutes. It runs where GALLETA_SOAK_SECONDS says how long; see `deploy/test --faults`.
@Suite("A soak", .serialized, .enabled(if: SoakSettings.seconds != nil))
struct SoakTests {
    private static let workers = 2

    private let folder: TemporaryFolder
    private let users: Users
    private let servers: ServerChain
    private let nginx: Nginx
    private let hostileNginx: Nginx

    init() throws {
        folder = try TemporaryFolder()
        users = try Users(6, in: folder)
        servers = try ServerChain(options: [
            "--state", folder.file("sessions.state"), "--state-interval", "10s", "--htpasswd", users.file,
            "--no-access-log", "--head-timeout", "2s", "--body-timeout", "2s", "--write-timeout", "5s",
            "--handler-timeout", "20s", "--shutdown-grace", "5s",
            // Abandoned sessions come and go at the same rate soon after the start, and memory with them.
            "--idle-timeout", "30s",
            // Every log-in leaves an id behind that is remembered for an hour. The cap is soon reached, and what goes
            // first are such ids; the 4,000 sessions that are alive at a time stay.
            "--max-session-memory", "4m",
        ])
        // All clients have one address here.
        let manyLogIns = { (text: String) in
            var text = text
            try NginxSettings.replace("rate=1r/s", with: "rate=10000r/s", in: &text)
            return text
        }
        nginx = try Nginx(socket: servers.socket.path, edit: manyLogIns)
        hostileNginx = try Nginx(
            socket: servers.socket.path, NginxSettings(buffersRequests: false), edit: manyLogIns)
    }

    @Test("mixed load with restarts: no error, no lost count, nothing leaked, idle afterwards")
    func soak() throws {
        let seconds = try #require(SoakSettings.seconds)
        let descriptors = servers.figures.descriptors.count
        let load = Load()
        let shared = try SharedVisitor(nginx)
        Visitors(nginx: nginx).start(load, threads: 4)
        shared.start(load, threads: 4)
        LogIns(nginx: nginx, users: users).start(load, threads: 3)
        Uploads(nginx, users).start(load, threads: 2)
        SlowClients(nginx: nginx, unbuffered: hostileNginx).start(load, threads: 3)
        HostileClients(nginx: hostileNginx, socket: servers.socket.path).start(load)

        let memory: (warm: Int, end: Int, course: [Int])
        do {
            memory = try run(for: seconds)
        } catch {
            load.finish()
            // What the clients saw is the better half of the reason.
            throw TestFailure(description: "\(error)\n\(load.tally.firstErrors.joined(separator: "\n"))")
        }
        load.finish()

        let tally = load.tally
        if let complaint = try shared.complaint(tally) { tally.complain(SharedVisitor.kind, complaint) }
        #expect(tally.errors == 0, "\(tally.firstErrors.joined(separator: "\n"))")
        for kind in tally.counts { #expect(kind.count > 0, "\(kind.kind)") }
        let nginxErrors = nginx.errorLog.split(separator: "\n").filter { $0.contains("[error]") }
        #expect(nginxErrors.count == 0, "\(nginxErrors.prefix(5).joined(separator: "\n"))")
        if !SoakSettings.isSanitized {
            #expect(memory.end - memory.warm <= max(memory.warm / 10, 4 * 1024), "KiB resident: \(memory.course)")
        }

        nginx.stop()
        hostileNginx.stop()
        let left = { servers.figures.descriptors.count }
        #expect(
            eventually(within: 30) { left() <= descriptors },
            "\(descriptors) at the start, now \(servers.figures.descriptors)")
        let ticks = servers.figures.ticks
        // A measurement: what does a server do that has nothing to do?
        poll(nil, 0, 2_000)
        let idle = servers.figures.ticks - ticks
        #expect(idle <= 2, "ticks of 10 ms in 2 s without a request")
        let end = left()
        servers.stop()
        for complaint in servers.complaints { Issue.record("\(complaint)") }

        print(
            """
            soak: \(Int(seconds)) s, \(servers.restarts) restarts, \(tally.errors) errors
            soak: \(tally.counts.map { "\($0.count) \($0.kind)" }.joined(separator: ", "))
            soak: descriptors \(descriptors) at the start, \(end) at the end; \
            \(idle) ticks in 2 s idle
            soak: RSS \(memory.warm) KiB warm, \(memory.end) KiB at the end; by tenths of the time \(memory.course)
            """)
    }

    /// Restarts the server during the first 60 % of the time, then watches the last one's memory.
    ///
    /// - Returns: KiB resident: the median of the samples around a fifth of its life, and of those around its end.
    private func run(for seconds: Double) throws -> (warm: Int, end: Int, course: [Int]) {
        let start = DispatchTime.now().uptimeNanoseconds
        let now = { Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9 }
        let restarts = max(2, Int(seconds * 0.6 / 12))
        for number in 1...restarts {
            wait(until: seconds * 0.6 * Double(number) / Double(restarts), now)
            try servers.restart()
        }
        let born = now()
        var samples: [Int] = []
        // The last one may come late, when a restart took its time: it is watched all the same.
        let life = max(seconds - born, 10)
        for index in 1...100 {
            wait(until: born + life * Double(index) / 100, now)
            samples.append(servers.figures.residentKiB)
        }
        let median = { (part: ArraySlice<Int>) in part.sorted()[part.count / 2] }
        let course = stride(from: 0, to: 100, by: 10).map { median(samples[$0..<$0 + 10]) }
        return (course[2], course[9], course)
    }

    private func wait(until time: Double, _ now: () -> Double) {
        while case let left = time - now(), left > 0 { poll(nil, 0, Int32(left * 1000) + 1) }
    }
}
