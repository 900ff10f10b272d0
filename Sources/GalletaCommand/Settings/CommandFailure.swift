internal import Galleta
internal import Glibc

/// Why a server does not start, in the operator's words, and the exit code that goes with it.
struct CommandFailure: Error {
    /// Of sysexits.h: EX_UNAVAILABLE (69), EX_CONFIG (78).
    let code: Int32
    let message: String
    /// The setting that is wrong, if it is one.
    let setting: ConfigurationError?

    init(code: Int32, _ message: String) {
        self.code = code
        self.message = message
        setting = nil
    }

    /// Of a setting that is named as it was given.
    init(_ error: ConfigurationError) {
        code = EX_CONFIG
        message = error.description
        setting = error
    }
}
