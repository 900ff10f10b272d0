import GalletaCommand

@main
struct Shop: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop", abstract: "The shop.", discussion: ServerOptions.discussion(prefix: environmentPrefix))
    static let environmentPrefix = "SHOP_"

    @OptionGroup var options: ServerOptions
    @Option(help: "What visitors are greeted with. (default: Hello)") var greeting: String?

    func prepare(_ setup: ServerSetup) throws {
        let (text, field) = setup.settings.text(greeting, "greeting") ?? ("Hello", "--greeting")
        guard !text.isEmpty else {
            throw ConfigurationError(field: field, reason: "it is empty", remedy: "give a word")
        }
        setup.onApplication { app in app.get("/greeting") { _, _ in "\(text)\n" } }
    }

    func routes(_ app: Application) throws {
        app.get("/") { _, session in "Visit \(try session.update("visits", default: 0) { $0 += 1; return $0 })\n" }
        app.get("/later") { _, _ async in "Later\n" }
    }
}
