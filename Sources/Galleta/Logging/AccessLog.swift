package import FastCGI
internal import GalletaPlatform
internal import Glibc
package import Logging
internal import Sessions

/// One line a request. No cookies, no query: both carry secrets.
package enum AccessLog {
    static func observer(_ logger: Logger) -> Server.Observer {
        { summary in
            // Asked each time: an operator may change it.
            guard logger.logLevel <= .info else { return }
            let microseconds = summary.duration.nanoseconds / 1000
            logger.info(
                """
                \(LogText.clean(summary.method)) \(LogText.clean(summary.path)) \(summary.status) \
                \(milliseconds(microseconds)) ms id=\(summary.requestID.map(LogText.clean) ?? "-")\
                \(summary.wasSent ? "" : " cut")
                """
            )
        }
    }

    /// Objects in JSON, one a line, as long as the logger takes lines of level info.
    package static func objects(to log: LogWriter, by logger: Logger) -> Server.Observer {
        { summary in
            guard logger.logLevel <= .info else { return }
            let value: SessionValue = [
                "time": .string(CivilDate.text(ofSeconds: now) ?? ""), "method": .string(summary.method),
                "path": .string(summary.path), "status": .int(Int64(summary.status)),
                "milliseconds": .double(Double(summary.duration.nanoseconds / 1_000) / 1_000),
                "id": summary.requestID.map { .string($0) } ?? .null, "cut": .bool(!summary.wasSent),
            ]
            guard let bytes = try? value.jsonBytes() else { return }
            log.write(String(decoding: bytes, as: UTF8.self) + "\n")
        }
    }

    private static var now: Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec / 1_000_000) / 1_000
    }

    /// Microseconds as milliseconds with three decimals.
    private static func milliseconds(_ microseconds: Int64) -> String {
        let rest = String(microseconds % 1000)
        return "\(microseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}
