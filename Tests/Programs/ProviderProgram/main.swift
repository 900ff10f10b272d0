import Foundation
import Galleta
import Sessions

let start = ContinuousClock.now
SessionProviders.register("dictionary", isLocalToProcess: true) { options in
    guard options.parameters.isEmpty else {
        throw ConfigurationError(
            field: options.parameters.keys.min()!,
            reason: "the dictionary provider has no parameters",
            remedy: "leave it out")
    }
    return DictionaryProvider(now: { ContinuousClock.now - start })
}

let sessions = try SessionManager(provider: "dictionary", cookieName: "sid", maxLifetime: .seconds(3600))
let app = Application(sessions: sessions)
app.get("/app/visits") { _, session in
    let visits = try session.update("visits", default: 0) { visits in
        visits += 1
        return visits
    }
    return "\(visits)\n"
}
try app.run(listen: CommandLine.arguments.dropFirst().first ?? "tcp:127.0.0.1:9000")
