internal import FastCGI

extension StatusReport {
    /// A screen of it, for who looks on: how busy the server is, and what it is busy with, the oldest request first.
    func top() -> String {
        let statistics = status.statistics
        let recent = lastMinutes(5)
        let sessions = groups.flatMap(\.fields).first { $0.metric == "sessions" }?.text ?? "-"
        let stuck = statistics.stuckWorkers > 0 ? ", \(statistics.stuckWorkers) stuck" : ""
        let errors = status.lastHour.reduce(0) { $0 + $1.statuses[4] }
        var lines = [
            "pool: \(name)   up \(StatusPage.words(status.uptime))   requests \(statistics.requests)   "
                + "errors (5xx, 1 h) \(errors)   slow \(statistics.slowRequests)",
            "workers \(statistics.activeWorkers) of \(statistics.workers) busy\(stuck)   "
                + "connections \(statistics.openConnections)   sessions \(sessions)   "
                + "median \(Self.milliseconds(recent.quantile(0.5)))   p99 \(Self.milliseconds(recent.quantile(0.99)))",
            "", Self.row("STATE", "FOR", "WORKER", "REQUEST", "ID"),
        ]
        lines += status.requests.map { request in
            Self.row(
                request.state.rawValue, StatusPage.words(request.age), request.worker.map(String.init) ?? "-",
                "\(request.method) \(request.path)", request.requestID ?? "-")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func row(_ state: String, _ age: String, _ worker: String, _ request: String, _ id: String) -> String
    {
        padded(state, 11) + padded(age, 10) + padded(worker, 8) + padded(request, 40) + id
    }
}
