import Foundation

/// What the environment says about the soak.
enum SoakSettings {
    private static let environment = ProcessInfo.processInfo.environment

    /// How long the load goes on; nil where nobody has asked for a soak.
    static let seconds = environment["GALLETA_SOAK_SECONDS"].flatMap(Double.init)

    /// A sanitizer keeps freed memory: what is resident says nothing.
    static let isSanitized = environment["GALLETA_SANITIZED"] == "1"
}
