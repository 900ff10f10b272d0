internal import FastCGI
internal import GalletaPlatform
public import Logging

/// What log lines say of the request that is being handled.
enum RequestMetadata {
    @TaskLocal static var current: Logger.Metadata?

    static func of(_ request: Request) -> Logger.Metadata {
        ["request_id": "\(request.requestID.map(LogText.clean) ?? "-")"]
    }
}

extension Logger.MetadataProvider {
    /// Gives each line that is logged while a request is handled the request's id, whoever logs it, in child tasks, too.
    ///
    /// ```swift
    /// LoggingSystem.bootstrap({ label, provider in … }, metadataProvider: .galleta)
    /// app.providesLogMetadata = true
    /// ```
    public static var galleta: Logger.MetadataProvider { Logger.MetadataProvider { RequestMetadata.current ?? [:] } }
}
