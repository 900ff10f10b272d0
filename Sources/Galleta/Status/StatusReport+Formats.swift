internal import FastCGI
internal import GalletaPlatform
internal import Sessions

extension StatusReport {
    // MARK: Text

    /// As php-fpm writes it: a name, a colon, a value in a column of its own.
    func text(full: Bool) -> String {
        var lines: [(String, String)] = [
            ("pool", name), ("start time", CivilDate.text(ofSeconds: Double(startTime)) ?? "-"),
            ("start since", String(status.uptime.components.seconds)),
        ]
        for group in groups { lines += group.fields.map { ($0.name, $0.text) } }
        for (kind, count) in status.refusedHeads.sorted(by: { $0.key < $1.key }) {
            lines.append(("refused: \(kind)", String(count)))
        }
        for (name, fraction) in Self.quantiles {
            lines.append(("latency \(name)", Self.milliseconds(lastMinutes(5).quantile(fraction))))
        }
        var text = lines.map { Self.padded($0.0 + ":", 30) + $0.1 + "\n" }.joined()
        guard full else { return text }
        for request in status.requests {
            text += "\n************************\n"
            for (name, value) in Self.words(of: request) { text += Self.padded(name + ":", 30) + value + "\n" }
        }
        for setting in settings {
            text += (setting.name == settings[0].name ? "\n" : "") + "\(setting.name): \(setting.value)\n"
        }
        return text
    }

    private static func words(of request: ServerStatus.ActiveRequest) -> [(String, String)] {
        [
            ("state", request.state.rawValue), ("worker", request.worker.map(String.init) ?? "-"),
            ("request duration", "\(request.age.milliseconds) ms"), ("request method", request.method),
            ("request path", request.path), ("request id", request.requestID ?? "-"),
        ]
    }

    // MARK: JSON

    /// The same names, numbers as numbers.
    func json(full: Bool) -> SessionValue {
        var members: [(ByteString, SessionValue)] = [
            ("pool", .string(name)), ("start time", .int(Int64(startTime))),
            ("start since", .int(status.uptime.components.seconds)),
        ]
        for group in groups { members += group.fields.map { (ByteString($0.name), $0.json) } }
        members.append(
            (
                "refused",
                .object(
                    SessionObject(
                        status.refusedHeads.sorted { $0.key < $1.key }.map {
                            (ByteString($0.key), .int(Int64($0.value)))
                        }))
            ))
        let recent = lastMinutes(5)
        members.append(
            (
                "latency",
                .object(
                    SessionObject(
                        Self.quantiles.map { name, fraction in
                            (ByteString(name), recent.quantile(fraction).map { .double(Self.seconds($0)) } ?? .null)
                        }))
            ))
        if full {
            members.append(("running requests", .array(status.requests.map(Self.value))))
            members.append(
                ("settings", .object(SessionObject(settings.map { (ByteString($0.name), .string($0.value)) }))))
        }
        return .object(SessionObject(members))
    }

    private static func value(of request: ServerStatus.ActiveRequest) -> SessionValue {
        .object(
            SessionObject([
                ("state", .string(request.state.rawValue)), ("worker", request.worker.map { .int(Int64($0)) } ?? .null),
                ("duration", .double(seconds(request.age))), ("method", .string(request.method)),
                ("path", .string(request.path)), ("id", request.requestID.map { .string($0) } ?? .null),
            ]))
    }

    // MARK: OpenMetrics

    static let openMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    /// OpenMetrics 1.0: no names of users, ids or addresses in labels.
    func openMetrics() -> String {
        var text = """
            # HELP galleta_start_time_seconds When the server started.
            # TYPE galleta_start_time_seconds gauge
            # UNIT galleta_start_time_seconds seconds
            galleta_start_time_seconds \(startTime)

            """
        var before = ""
        // Those of one metric stand together.
        for field in groups.flatMap(\.fields) where field.name != "refused heads" {
            let isCounter = field.kind == .counter
            if field.metric != before {
                text += "# HELP galleta_\(field.metric) \(field.help)\n"
                text += "# TYPE galleta_\(field.metric) \(isCounter ? "counter" : "gauge")\n"
                if field.kind == .seconds { text += "# UNIT galleta_\(field.metric) seconds\n" }
            }
            before = field.metric
            let label = field.label.map { "{\($0.name)=\"\($0.value)\"}" } ?? ""
            text += "galleta_\(field.metric)\(isCounter ? "_total" : "")\(label) \(field.number)\n"
        }
        text += """
            # HELP galleta_refused_heads Requests refused for their heads, by the reason.
            # TYPE galleta_refused_heads counter

            """
        for (kind, count) in status.refusedHeads.sorted(by: { $0.key < $1.key }) {
            text += "galleta_refused_heads_total{reason=\"\(kind)\"} \(count)\n"
        }
        text += """
            # HELP galleta_responses Requests by the class of their status.
            # TYPE galleta_responses counter

            """
        for (index, count) in status.latency.statuses.enumerated() {
            text += "galleta_responses_total{class=\"\(index + 1)xx\"} \(count)\n"
        }
        text += """
            # HELP galleta_request_duration_seconds From the head of a request to the end of its answer.
            # TYPE galleta_request_duration_seconds histogram
            # UNIT galleta_request_duration_seconds seconds

            """
        var sum = 0
        for (index, count) in status.latency.counts.enumerated() {
            sum += count
            let bound = index < LatencyHistogram.bounds.count ? Self.seconds(LatencyHistogram.bounds[index]) : "+Inf"
            text += "galleta_request_duration_seconds_bucket{le=\"\(bound)\"} \(sum)\n"
        }
        text += "galleta_request_duration_seconds_count \(sum)\n"
        text += "galleta_request_duration_seconds_sum \(Self.seconds(.nanoseconds(status.latency.nanoseconds)))\n"
        return text + "# EOF\n"
    }

    // MARK: Figures

    static let quantiles = [("median", 0.5), ("p90", 0.9), ("p99", 0.99)]

    // MARK: Top

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

    /// The requests of the last minutes together.
    func lastMinutes(_ count: Int) -> LatencyHistogram {
        status.lastHour.suffix(count).reduce(LatencyHistogram(), +)
    }

    static func seconds(_ duration: Duration) -> Double { Double(duration.nanoseconds) / 1e9 }

    private static func seconds(_ nanoseconds: Int64) -> String { "\(Double(nanoseconds) / 1e9)" }

    static func milliseconds(_ duration: Duration?) -> String {
        guard let duration else { return "-" }
        // To the microsecond.
        let milliseconds = (Double(duration.nanoseconds) / 1e3).rounded() / 1e3
        return milliseconds < 10 ? "\(milliseconds) ms" : "\(Int(milliseconds)) ms"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
