import Foundation
import GalletaPlatform
import HTTPTypes
import TestSupport
import Testing

@testable import FastCGI

@Suite("A server's status")
struct ServerStatusTests {
    @Test("names what each connection does, and the requests that are being answered, the oldest first")
    func states() throws {
        let gate = Locked(false)
        let server = try RunningServer({ $0.handlerTimeout = .seconds(60) }) { request async throws in
            switch request.path {
            case "/run":
                _ = eventually(within: 60) { gate.withLock { $0 } }
                return .text("run")
            case "/wait":
                while !gate.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
                return .text("wait")
            case "/stream":
                return .asyncStream(type: "text/plain") { writer in
                    try await writer.write("begun")
                    try writer.flush()
                    while !gate.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
                }
            case "/large": return .bytes([UInt8](repeating: 1, count: 30 << 20), type: "x/y")
            default: return .text("")
            }
        }
        func status() -> ServerStatus { server.server.status(requests: 10) }
        let idle = try server.client()
        _ = try idle.exchange("GET", "/")
        let head = try server.client()
        try head.send(Array(FastCGIRecord.request("GET", "/").prefix(20)))
        let body = try server.client()
        let whole = FastCGIRecord.request(
            "POST", "/body?secret", body: Array("12345".utf8), [("REQUEST_ID", "b\n")])
        try body.send(Array(whole.dropLast(16)))
        #expect(eventually { status().connections.readingBody == 1 && status().connections.readingHead == 1 })
        let others = try ["/wait", "/stream", "/large"].map { path in
            let client = try server.client()
            try client.send(FastCGIRecord.request("GET", path))
            return client
        }
        #expect(
            eventually {
                let connections = status().connections
                return connections.waiting == 1 && connections.streaming == 1 && connections.sending == 1
                    && connections.idle == 1
            })
        let run = try server.client()
        try run.send(FastCGIRecord.request("GET", "/run", [("REQUEST_ID", "r")]))
        #expect(eventually { status().requests.contains { $0.path == "/run" && $0.state == .waiting } })
        let requests = status().requests
        #expect(Set(requests.map(\.path)) == ["/body", "/wait", "/stream", "/large", "/run"])
        #expect(
            requests.first?.path == "/body" && requests.first?.requestID == "b?" && requests.first?.state == .reading)
        #expect(requests.map(\.age) == requests.map(\.age).sorted(by: >))
        #expect(server.server.status(requests: 2).requests.count == 2)
        gate.withLock { $0 = true }
        withExtendedLifetime((idle, head, body, others, run)) {}
    }

    @Test("names a request whose handler is stuck, and its worker")
    func stuck() throws {
        let gate = Locked(false)
        let server = try RunningServer({ $0.handlerTimeout = .milliseconds(50) }) { request in
            if request.path == "/stuck" { _ = eventually(within: 60) { gate.withLock { $0 } } }
            return .text("")
        }
        let client = try server.client()
        try client.send(FastCGIRecord.request("GET", "/stuck"))
        #expect(
            eventually {
                let request = server.server.status(requests: 1).requests.first
                return request?.state == .stuck && request?.path == "/stuck" && request?.worker != nil
            })
        gate.withLock { $0 = true }
        #expect(eventually { server.server.status(requests: 1).requests.isEmpty })
    }

    @Test("counts requests by status and refused heads by their reason")
    func counts() throws {
        let server = try RunningServer { request in
            if request.path == "/throw" { throw CancellationError() }
            return .text("", status: request.path == "/moved" ? .found : .ok)
        }
        let client = try server.client()
        for path in ["/", "/", "/moved", "/throw"] { _ = try client.exchange("GET", path) }
        try client.send([0, 1, 2, 3, 4, 5, 6, 7])
        #expect(eventually { !server.server.status().refusedHeads.isEmpty })
        let status = server.server.status()
        #expect(status.refusedHeads.values.reduce(0, +) == status.statistics.refusedHeads)
        #expect(status.latency.statuses[1...] == [2, 1, 1, 1] || status.latency.statuses[1...] == [2, 1, 0, 1])
        #expect(status.latency.count >= 4 && status.latency.nanoseconds > 0 && status.uptime > .zero)
        #expect(status.lastHour.map(\.count).reduce(0, +) == status.latency.count)
        #expect(status.requests.isEmpty)
    }

    // MARK: Latency

    private func time(minute: Int64, _ second: Int64 = 0) -> BootInstant {
        BootInstant(nanoseconds: (minute * 60 + second) * 1_000_000_000)
    }

    @Test("puts each duration in one bucket, its upper end included")
    func buckets() {
        let recorder = LatencyRecorder(now: time(minute: 1))
        for nanoseconds in [0, 250_000, 250_001, 30_000_000_000, 30_000_000_001] as [Int64] {
            recorder.record(nanoseconds, status: 200, at: time(minute: 1))
        }
        recorder.record(-5, status: 0, at: time(minute: 1))
        let total = recorder.total
        #expect(
            total.counts == [3, 1] + [Int](repeating: 0, count: 13) + [1, 1] && total.statuses == [0, 5, 0, 0, 0])
        #expect(total.quantile(0.5) == .microseconds(250) && total.quantile(0.99) == .seconds(30))
        #expect(LatencyHistogram().quantile(0.5) == nil)
    }

    @Test("keeps the last hour by minute, those without requests among them")
    func minutes() {
        let recorder = LatencyRecorder(now: time(minute: 10, 59))
        recorder.record(1, status: 200, at: time(minute: 10, 59))
        recorder.record(1, status: 200, at: time(minute: 11))
        recorder.record(1, status: 200, at: time(minute: 11, 59))
        recorder.record(1, status: 200, at: time(minute: 14))
        #expect(recorder.lastHour(at: time(minute: 14, 1)).map(\.count) == [1, 2, 0, 0, 1])
        #expect(recorder.lastHour(at: time(minute: 15)).map(\.count) == [1, 2, 0, 0, 1, 0])
        // A clock that is read late by another thread does not turn it back.
        recorder.record(1, status: 200, at: time(minute: 14, 59))
        #expect(recorder.lastHour(at: time(minute: 69)).map(\.count).reduce(0, +) == 5)
        #expect(recorder.lastHour(at: time(minute: 70)).count == 60)
        #expect(recorder.lastHour(at: time(minute: 70)).map(\.count).reduce(0, +) == 4)
        #expect(recorder.lastHour(at: time(minute: 1_000)).map(\.count).reduce(0, +) == 0)
        #expect(recorder.total.count == 5)
    }
}
