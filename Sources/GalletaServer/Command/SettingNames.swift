internal import FastCGI
internal import Sessions

/// Says in the words of the command line what the libraries say in those of their configurations.
struct SettingNames {
    /// The options of what `Server.Configuration` and the listeners name.
    static let server = [
        "workers": "workers", "maxConnections": "max-connections", "mount": "mount", "address": "address",
        "maxBodyBytes": "max-body",
        "maxHeadBytes": "max-head", "headTimeout": "head-timeout", "bodyTimeout": "body-timeout",
        "handlerTimeout": "handler-timeout", "idleTimeout": "connection-timeout", "writeTimeout": "write-timeout",
        "shutdownGrace": "shutdown-grace", "listener": "listen", "listeners": "listen", "allow": "allow",
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

    let reader: SettingReader

    func text(_ error: ConfigurationError) -> String {
        "\(field(error.field, Self.server)): \(sentence(error.reason, Self.server)); \(sentence(error.remedy, Self.server))"
    }

    func text(_ error: ListenerError) -> String {
        sentence(error.description, Self.server)
    }

    func text(_ error: SessionError) -> String {
        if error.code == .unknownProvider {
            // What is registered is the program's affair: the operator chooses among it.
            return field("provider", Self.sessions) + ": " + error.message.prefix { $0 != ";" }
        }
        guard let field = error.field else {
            return sentence(error.message, Self.sessions)
        }
        guard Self.sessions[field] != nil else {
            // The provider's own.
            return "\(reader.field(of: "session-option")) \(field): \(sentence(error.reason, Self.sessions))"
        }
        return "\(self.field(field, Self.sessions)): \(sentence(error.reason, Self.sessions))"
    }

    private func field(_ property: String, _ options: [String: String]) -> String {
        options[property].map(reader.field(of:)) ?? property
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
