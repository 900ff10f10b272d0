import GalletaCommand

@main
struct Shop: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop", abstract: "The shop.", discussion: ServerOptions.discussion(prefix: environmentPrefix),
        subcommands: [ControlCommand.self])
    static let environmentPrefix = "SHOP_"

    @OptionGroup var options: ServerOptions
    @Option(help: "What visitors are greeted with. (default: Hello)") var greeting: String?
    @Option(help: "The path of the greeting. (default: /greeting)") var greetingPath: String?

    func prepare(_ setup: ServerSetup) throws {
        let (text, field) = setup.settings.text(greeting, "greeting") ?? ("Hello", "--greeting")
        guard !text.isEmpty else {
            throw ConfigurationError(field: field, reason: "it is empty", remedy: "give a word")
        }
        let path = setup.settings.text(greetingPath, "greeting-path")?.text ?? "/greeting"
        setup.onApplication { app in app.get(path) { _, _ in "\(text)\n" } }
    }

    func routes(_ app: Application) throws {
        app.get("/") { _, session in "Visit \(try session.update("visits", default: 0) { $0 += 1; return $0 })\n" }
        app.get("/later") { _, _ async in "Later\n" }
    }
}
