internal import FastCGI
internal import GalletaPlatform
internal import Glibc

/// Says in the words of the command line what the libraries say in those of their configurations.
struct SettingNames {
    /// The options of what `Server.Configuration` and the listeners name.
    static let server = [
        "workers": "workers", "maxConnections": "max-connections", "mount": "mount", "address": "address",
        "maxBodyBytes": "max-body",
        "maxHeadBytes": "max-head", "headTimeout": "head-timeout", "bodyTimeout": "body-timeout",
        "handlerTimeout": "handler-timeout", "idleTimeout": "connection-timeout", "writeTimeout": "write-timeout",
        "shutdownGrace": "shutdown-grace", "slowRequestTime": "slow-log", "listener": "listen", "listeners": "listen",
        "allow": "allow",
        "allowsManyProcesses": "allow-many-processes",
    ]
    /// The options of what `SessionConfiguration` and the memory provider name.
    static let sessions = [
        "cookieName": "cookie-name", "secure": "cookie-secure", "idleTimeout": "idle-timeout",
        "absoluteTimeout": "absolute-timeout", "maximumSessionsPerUser": "sessions-per-user",
        "newSessionLimit": "new-sessions", "newSessionLimit.count": "new-sessions",
        "newSessionLimit.period": "new-sessions", "maximumSessions": "max-sessions",
        "maximumBytes": "max-session-memory", "state": "state", "stateInterval": "state-interval",
        "provider": "provider",
    ]

    /// Whose property a configuration error names: several have one of the same name.
    enum Owner: Equatable {
        case server
        case listeners
        /// The control socket, as the setting was given.
        case control(String)
        /// The session manager, or the provider, whose own settings are those of `--session-option`.
        case sessions
    }

    let reader: SettingReader

    /// Runs `body`; the owner's errors come out with the options in place of the properties.
    ///
    /// - Throws: ``CommandFailure``, or what else `body` throws.
    func translating<Result>(_ owner: Owner, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as ConfigurationError {
            // What can be no address cannot be listened on either: one code for both, for who starts it again.
            let translated = translated(error, owner)
            guard owner == .listeners else { throw CommandFailure(translated) }
            throw CommandFailure(code: EX_UNAVAILABLE, translated.description)
        } catch let error as ListenerError {
            var text = sentence(error.description, Self.server)
            if case .control(let field) = owner { text = "\(field): \(text)" }
            throw CommandFailure(code: EX_UNAVAILABLE, text)
        }
    }

    func translated(_ error: ConfigurationError, _ owner: Owner) -> ConfigurationError {
        if case .control(let field) = owner {
            return ConfigurationError(field: field, reason: error.reason, remedy: error.remedy)
        }
        let options = owner == .sessions ? Self.sessions : Self.server
        let field: String
        var remedy = sentence(error.remedy, options)
        if let option = options[error.field] {
            field = reader.field(of: option)
            // What is registered is the program's affair: the operator chooses among it.
            if error.field == "provider" { remedy = "give one of these" }
        } else {
            field = owner != .sessions ? error.field : "\(reader.field(of: "session-option")) \(error.field)"
        }
        return ConfigurationError(field: field, reason: sentence(error.reason, options), remedy: remedy)
    }

    /// Replaces properties in the middle of a sentence: those in backquotes, and those that are no English words.
    private func sentence(_ text: String, _ options: [String: String]) -> String {
        var result = ""
        var word = ""
        for character in text + "\n" {
            if character.isASCII, character.isLetter {
                word.append(character)
                continue
            }
            let isQuoted = result.last == "`" && character == "`"
            if isQuoted || word.contains(where: \.isUppercase), let option = options[word] {
                if isQuoted { result.removeLast() }
                result += reader.field(of: option)
                if !isQuoted { result.append(character) }
            } else {
                result += word
                result.append(character)
            }
            word = ""
        }
        result.removeLast()
        return result
    }
}
