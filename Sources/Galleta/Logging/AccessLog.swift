internal import FastCGI
internal import GalletaPlatform
internal import Logging

/// One line a request. No cookies, no query: both carry secrets.
enum AccessLog {
    static func observer(_ logger: Logger) -> Server.Observer? {
        guard logger.logLevel <= .info else { return nil }
        return { summary in
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

    /// Microseconds as milliseconds with three decimals.
    private static func milliseconds(_ microseconds: Int64) -> String {
        let rest = String(microseconds % 1000)
        return "\(microseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}
