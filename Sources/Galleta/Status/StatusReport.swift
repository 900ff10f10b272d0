internal import FastCGI
internal import GalletaPlatform
internal import Glibc
internal import Sessions

/// What an operator is shown, once for all forms of it: named figures in groups, and the requests that are being answered.
struct StatusReport {
    let name: String
    /// Seconds since 1970.
    let startTime: Int
    let status: ServerStatus
    let settings: [(name: String, value: String)]
    private(set) var groups: [StatusGroup] = []

    /// - Parameters:
    ///   - log: Where the log goes.
    ///   - more: What the program adds.
    init(
        name: String, status: ServerStatus, sessions: SessionMetrics, log: LogWriter, more: [StatusGroup],
        now: Int = time(nil)
    ) {
        self.name = name
        self.status = status
        startTime = now - Int(status.uptime.components.seconds)
        settings = sessions.settings.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        groups =
            [
                Self.requests(status), Self.workers(status.statistics), Self.connections(status),
                Self.sessions(sessions),
                Self.disk(status.statistics, sessions, log),
                StatusGroup(
                    title: "Log",
                    fields: [
                        .counter(
                            "dropped log lines", "log_lines_dropped",
                            "Log lines that nobody took in time, or that were refused.",
                            log.droppedLines)
                    ]),
            ] + more
    }

    private static func requests(_ status: ServerStatus) -> StatusGroup {
        let latency = status.latency
        return StatusGroup(
            title: "Requests",
            fields: [
                .counter("requests", "requests", "Requests handed to a handler.", status.statistics.requests),
                .counter(
                    "server errors", "server_errors", "Requests answered with a status of 5xx.", latency.statuses[4]),
                .counter(
                    "client errors", "client_errors", "Requests answered with a status of 4xx.", latency.statuses[3]),
                .counter(
                    "failed writes", "failed_writes", "Answers that could not be sent to their end.",
                    status.statistics.failedWrites),
                .counter(
                    "slow requests", "slow_requests", "Requests that took as long as the slow log wants, or longer.",
                    status.statistics.slowRequests),
                .counter("timeouts", "timeouts", "Connections closed at a deadline.", status.statistics.timeouts),
                .counter(
                    "refused heads", "refused_heads", "Requests refused for their heads.",
                    status.statistics.refusedHeads),
            ])
    }

    private static func workers(_ statistics: ServerStatistics) -> StatusGroup {
        StatusGroup(
            title: "Workers",
            fields: [
                .gauge("total workers", "workers", "Workers in all.", statistics.workers),
                .gauge("active workers", "active_workers", "Workers that run a handler.", statistics.activeWorkers),
                .gauge(
                    "idle workers", "idle_workers", "Workers that run no handler.",
                    max(0, statistics.workers - statistics.activeWorkers)),
                .gauge(
                    "max active workers", "max_active_workers", "Most workers that ran a handler at a time.",
                    statistics.maxActiveWorkers),
                .gauge(
                    "stuck workers", "stuck_workers", "Workers whose handlers are past their deadline.",
                    statistics.stuckWorkers),
            ])
    }

    private static func connections(_ status: ServerStatus) -> StatusGroup {
        let connections = status.connections
        return StatusGroup(
            title: "Connections",
            fields: [
                .counter(
                    "accepted conn", "accepted_connections", "Connections accepted.",
                    status.statistics.acceptedConnections),
                .counter(
                    "refused peers", "refused_peers", "Connections refused for their peer's address or user.",
                    status.statistics.refusedPeers),
                .gauge("open conn", "open_connections", "Connections open.", status.statistics.openConnections),
                .gauge("idle conn", "idle_connections", "Kept by the web server between requests.", connections.idle),
                .gauge(
                    "reading head", "reading_head_connections", "Waiting for the rest of a head.",
                    connections.readingHead),
                .gauge(
                    "reading body", "reading_body_connections", "Waiting for the rest of a body.",
                    connections.readingBody),
                .gauge("working", "working_connections", "Held by a worker.", connections.working),
                .gauge("waiting", "waiting_connections", "Waiting for an async handler.", connections.waiting),
                .gauge("streaming", "streaming_connections", "Waiting for more of a stream.", connections.streaming),
                .gauge("sending", "sending_connections", "Waiting for the web server to read.", connections.sending),
                .gauge("closing", "closing_connections", "Answered, and read away to the end.", connections.closing),
            ])
    }

    /// What a full disk does, by what it was to keep.
    private static func disk(
        _ statistics: ServerStatistics, _ sessions: SessionMetrics, _ log: LogWriter
    ) -> StatusGroup {
        var counts = [("spool", statistics.storageFailures), ("log", log.writeFailures)]
        if let failures = sessions.store?.saveFailures { counts.append(("state", failures)) }
        if let unsaved = sessions.store?.unsaved { counts.append(("journal", unsaved)) }
        let help = "Errors of the disk: bodies on their way in (spool), log, state file, and changes in its journal."
        return StatusGroup(
            title: "Disk",
            fields: counts.map { kind, count in
                StatusFigure.counter("\(kind) errors", "disk_errors", help, count).labelled("kind", kind)
            })
    }

    private static func sessions(_ metrics: SessionMetrics) -> StatusGroup {
        var fields: [StatusFigure] = []
        func add<Value>(_ value: Value?, _ make: (Value) -> StatusFigure) {
            if let value { fields.append(make(value)) }
        }
        add(metrics.store?.sessions) { .gauge("sessions", "sessions", "Sessions in the store.", $0) }
        if let store = metrics.store, let users = store.users {
            fields += [
                .gauge("user sessions", "user_sessions", "Sessions in the store that have a user.", users),
                .gauge(
                    "anonymous sessions", "anonymous_sessions", "Sessions in the store that have no user.",
                    max(0, (store.sessions ?? users) - users)),
            ]
        }
        add(metrics.store?.bytes) { .gauge("session bytes", "session_bytes", "Bytes that sessions take.", $0) }
        fields += [
            .counter("sessions created", "sessions_created", "Sessions that began.", metrics.created),
            .counter("sessions rotated", "sessions_rotated", "Sessions that got a new id.", metrics.rotated),
            .counter("sessions destroyed", "sessions_destroyed", "Sessions that were ended.", metrics.destroyed),
            .counter("sessions revoked", "sessions_revoked", "Sessions that ended with a credential.", metrics.revoked),
        ]
        add(metrics.store?.expired) {
            .counter("sessions expired", "sessions_expired", "Sessions that ended by their deadline.", $0)
        }
        add(metrics.store?.evicted) {
            .counter("sessions evicted", "sessions_evicted", "Sessions that made room for others.", $0)
        }
        add(metrics.store?.refused) {
            .counter("sessions refused", "sessions_refused", "New sessions and changes without room.", $0)
        }
        add(metrics.store?.collectionLag) {
            .seconds("gc lag", "session_gc_lag", "How long expired sessions have waited for the collection.", $0)
        }
        add(metrics.store?.lastSlice) {
            .seconds("gc slice", "session_gc_slice", "Longest hold of a lock in the last collection.", $0)
        }
        add(metrics.store?.sinceSaved) {
            .seconds("state age", "session_state_age", "Since the sessions were last written to the state file.", $0)
        }
        add(metrics.store?.lastSave) {
            .seconds("state save", "session_state_save", "How long that writing has taken.", $0)
        }
        add(metrics.store?.unsaved) {
            .counter("sessions unsaved", "sessions_unsaved", "Log-ins and log-outs that did not get on the disk.", $0)
        }
        fields += [
            .counter(
                "sessions refused by network", "sessions_refused_by_network",
                "New sessions refused to networks that had begun their share.", metrics.refusedByNetwork),
            .counter("reused ids", "session_ids_reused", "Uses of an id that had been replaced.", metrics.reusedIDs),
            .counter(
                "second sessions", "second_sessions", "Requests that offered two live sessions.", metrics.secondSessions
            ),
            .counter("lost sessions", "sessions_lost", "Sessions that vanished under a request.", metrics.lost),
            .counter("store failures", "store_failures", "Calls that the session store failed.", metrics.storeFailures),
        ]
        return StatusGroup(title: "Sessions", fields: fields)
    }
}
