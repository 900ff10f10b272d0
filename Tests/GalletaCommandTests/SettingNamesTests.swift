import FastCGI
import Foundation
import Sessions
import Testing

@testable import GalletaCommand

@Suite("Settings and their names")
struct SettingNamesTests {
    private let reader = SettingReader(environment: ProcessEnvironment(overrides: ["GALLETA_MAX_BODY": "-1"]))
    private var names: SettingNames { SettingNames(reader: reader) }

    @Test("an error names the option of a library's property, wherever it stands")
    func options() {
        let error = ConfigurationError(
            field: "idleTimeout", reason: "it is under headTimeout, and so are workers",
            remedy: "raise `workers`, (maxHeadBytes) or handlerTimeout")
        #expect(
            names.translated(error, .server).description == """
                --connection-timeout: it is under --head-timeout, and so are workers; raise --workers, (--max-head) or \
                --handler-timeout
                """)
        let ofSessions = ConfigurationError(
            field: "absoluteTimeout", reason: "1 s is under idleTimeout", remedy: "give more")
        #expect(
            names.translated(ofSessions, .sessions).description
                == "--absolute-timeout: 1 s is under --idle-timeout; give more")
        let ofProvider = ConfigurationError(field: "url", reason: "a", remedy: "b")
        #expect(names.translated(ofProvider, .sessions).description == "--session-option url: a; b")
    }

    @Test("what can be no address ends as what cannot be listened on, however it was given")
    func exitCodes() throws {
        let reader = SettingReader(environment: ProcessEnvironment(overrides: ["GALLETA_LISTEN": "nowhere"]))
        let names = SettingNames(reader: reader)
        #expect(reader.list([], "listen") == ["nowhere"])
        for (owner, code) in [
            (SettingNames.Owner.listeners, EX_UNAVAILABLE), (.server, EX_CONFIG), (.sessions, EX_CONFIG),
        ] {
            let failure = #expect(throws: CommandFailure.self) {
                try names.translating(owner) { _ = try Listener.at("nowhere") }
            }
            #expect(failure?.code == code)
            if owner == .listeners { #expect(failure?.message.hasPrefix("GALLETA_LISTEN: \"nowhere\" is") == true) }
        }
    }

    @Test(
        "what a library says of its own ways is said in the operator's", arguments: ["__Host-sid", "__Secure-sid"])
    func cookies(name: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try SessionCookie(name: name) }
        let text = names.translated(try #require(error), .sessions).description
        #expect(text.contains("--cookie-secure") && text.contains("always") && !text.contains(".always"))
    }

    @Test("of an unknown provider the operator learns the known ones, not how to register one")
    func providers() throws {
        let error = #expect(throws: ConfigurationError.self) {
            _ = try SessionManager(provider: "nope", cookieName: "sid", maxLifetime: .seconds(60))
        }
        let text = names.translated(try #require(error), .sessions).description
        #expect(text.hasPrefix("--provider: ") && text.contains("nope") && !text.contains("register("))
    }

    @Test("an error names the variable where the value came from one")
    func variables() throws {
        #expect(try reader.integer(nil, "max-body", default: 0) == -1)
        let error = ConfigurationError(field: "maxBodyBytes", reason: "-1 is out of range", remedy: "give more")
        #expect(names.translated(error, .server).description == "GALLETA_MAX_BODY: -1 is out of range; give more")
    }

    @Test("each option that is named is one")
    func existing() {
        for option in Array(SettingNames.server.values) + SettingNames.sessions.values {
            #expect(UnknownVariables.options.contains(option), "\(option)")
        }
    }

    @Test("each field of the libraries' configurations is an option's, or known to be none's")
    func fields() {
        let serverOnly = ["maxParameters", "maxDrainBytes", "formLimits"]
        for child in Mirror(reflecting: Server.Configuration()).children {
            let label = child.label ?? ""
            #expect(SettingNames.server[label] != nil || serverOnly.contains(label), "\(label)")
        }
        let sessionsOnly = [
            "sameSite", "cookiePath", "cookieDomain", "isPartitioned", "isPersistent", "touchInterval", "rotationGrace",
            "limits", "endsSessionOnIDReuse", "stampCheck", "clock", "logger", "onEvent", "assigned",
        ]
        for child in Mirror(reflecting: SessionConfiguration()).children {
            let label = child.label ?? ""
            #expect(SettingNames.sessions[label] != nil || sessionsOnly.contains(label), "\(label)")
        }
    }

    @Test(
        "an unknown variable is warned of, with the nearest known one",
        arguments: [
            ("GALLETA_IDLETIMEOUT", "did you mean GALLETA_IDLE_TIMEOUT?"),
            ("GALLETA_WORKER", "did you mean GALLETA_WORKERS?"),
            ("GALLETA_MAX_LIVETIME", "did you mean GALLETA_MAX_LIFETIME?"),
            ("GALLETA_COLOUR_OF_THE_SKY", "galleta-server --help names all options"),
            ("GALLETA_CHECK_CONFIG", "has no effect"), ("GALLETA_", "has no effect"),
        ])
    func unknown(name: String, hint: String) {
        let warnings = Self.warnings([name: "1", "PATH": "/bin"])
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("\(name) is not known and has no effect") == true)
        #expect(warnings.first?.contains(hint) == true, "\(warnings)")
    }

    private static func warnings(_ variables: [String: String], prefix: String = "GALLETA_") -> [String] {
        let reader = SettingReader(environment: ProcessEnvironment(overrides: variables), prefix: prefix)
        return UnknownVariables.warnings(reader, command: "galleta-server")
    }

    @Test("a program's own prefix and settings are known, and no others'")
    func ownPrefix() throws {
        #expect(Self.warnings(["SHOP_WORKERS": "1", "GALLETA_WORKER": "1"], prefix: "SHOP_").isEmpty)
        let variables = ["SHOP_PARCELS": "7", "SHOP_PARCEL": "8", "SHOP_SESSION_OPTIONS": "a=b"]
        let reader = SettingReader(environment: ProcessEnvironment(overrides: variables), prefix: "SHOP_")
        #expect(try reader.integer(nil, "parcels", default: 1) == 7)
        #expect(reader.field(of: "parcels") == "SHOP_PARCELS")
        #expect(
            UnknownVariables.warnings(reader, command: "shop") == [
                "the environment variable SHOP_PARCEL is not known and has no effect; did you mean SHOP_PARCELS?"
            ])
        let words = reader.words([], "session-option", variable: "session-options")
        #expect(words.map(\.text) == ["a=b"] && reader.field(of: "session-option") == "SHOP_SESSION_OPTIONS")
    }

    @Test("each kind of setting that was asked for is known, given or not")
    func asked() throws {
        let names = ["a", "b", "c", "d", "e", "f", "g"]
        let variables = Dictionary(uniqueKeysWithValues: names.map { ("X_\($0.uppercased())", "") })
        let reader = SettingReader(environment: ProcessEnvironment(overrides: variables), prefix: "X_")
        #expect(UnknownVariables.warnings(reader, command: "x").count == names.count)
        _ = reader.text("given", "a")
        _ = try reader.flag(true, "b", default: false)
        _ = try reader.integer("1", "c", default: 1)
        _ = try reader.duration("1s", "d", default: .zero)
        _ = try reader.size("1k", "e", default: 1)
        _ = try reader.choice("x", "f", ["x": 1], default: 1)
        _ = reader.list(["x"], "g")
        #expect(UnknownVariables.warnings(reader, command: "x") == [])
    }

    @Test("known variables, and those of the build, are not warned of")
    func known() {
        let names = [
            "GALLETA_LISTEN", "GALLETA_NEW_SESSIONS", "GALLETA_ACCESS_LOG", "GALLETA_STRICT",
            "GALLETA_SERVER", "GALLETA_SOAK_SECONDS", "GALLETAX",
        ]
        let overrides = Dictionary(uniqueKeysWithValues: names.map { ($0, "1") })
        #expect(Self.warnings(overrides).isEmpty)
    }

    @Test("no variable that the package's own scripts use is warned of")
    func scripts() throws {
        let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardizedFileURL
        let scripts = try FileManager.default.contentsOfDirectory(atPath: root.path + "/deploy").map { "deploy/\($0)" }
        var names: Set<String> = []
        for file in scripts + ["Package.swift", ".ci/run"] {
            guard let text = try? String(contentsOf: root.appendingPathComponent(file), encoding: .utf8) else {
                continue
            }
            for match in text.matches(of: /GALLETA_[A-Z_]+/) { names.insert(String(match.output)) }
        }
        #expect(names.count > 3)
        let overrides = Dictionary(uniqueKeysWithValues: names.map { ($0, "1") })
        #expect(Self.warnings(overrides) == [])
    }
}
