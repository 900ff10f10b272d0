import Foundation
import Sessions
import Testing

@Suite("The articles")
struct ArticleTests {
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The code between ```swift and ```, without indentation and empty lines.
    private func examples(_ article: String) throws -> [[String]] {
        let path = Self.repository.appendingPathComponent("Sources/\(article).md")
        return try String(contentsOf: path, encoding: .utf8).components(separatedBy: "```swift\n").dropFirst()
            .map { lines($0.components(separatedBy: "```")[0]) }
    }

    private func lines(_ code: String) -> [String] {
        code.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    @Test(
        "show code that is compiled and tested",
        arguments: [
            (
                "Sessions/Sessions.docc/WriteAProvider",
                [
                    "Programs/ProviderProgram/DictionaryProvider.swift",
                    "Programs/ProviderProgram/main.swift",
                    "SessionsTests/Examples/DictionaryProviderTests.swift",
                ]
            ),
            ("Sessions/Sessions.docc/UnderstandingSessions", ["GalletaTests/ArticleExamples.swift"]),
            (
                "Galleta/Galleta.docc/TestYourHandlers",
                [
                    "Programs/ShopProgram/Shop.swift", "Programs/ShopProgram/main.swift",
                    "GalletaTestingTests/Examples/ShopTests.swift",
                ]
            ),
            (
                "Galleta/Galleta.docc/YourFirstProgram",
                ["Programs/FirstProgram/Hello.swift", "ArticleProgramTests/HelloTests.swift"]
            ),
            (
                "Galleta/Galleta.docc/FormsAndUploads",
                [
                    "Programs/FormsProgram/GuestBook.swift", "Programs/FormsProgram/Photos.swift",
                    "Programs/FormsProgram/Page.swift", "ArticleProgramTests/GuestBookTests.swift",
                ]
            ),
            (
                "Galleta/Galleta.docc/ErrorPages",
                ["Programs/ErrorsProgram/Recipes.swift", "ArticleProgramTests/RecipesTests.swift"]
            ),
            (
                "PHPSessions/PHPSessions.docc/BesidePHP",
                [
                    "Programs/CheckoutProgram/Cart.swift", "Programs/CheckoutProgram/Checkout.swift",
                    "Programs/CheckoutProgram/Page.swift", "ArticleProgramTests/CheckoutTests.swift",
                ]
            ),
            (
                "Galleta/Galleta.docc/LogPeopleIn",
                [
                    "Programs/LogInProgram/Diary.swift", "Programs/LogInProgram/LogIn.swift",
                    "Programs/LogInProgram/Page.swift", "ArticleProgramTests/DiaryTests.swift",
                ]
            ),
        ])
    func compiled(article: String, files: [String]) throws {
        let sources = try files.map {
            lines(
                try String(
                    contentsOf: Self.repository.appendingPathComponent("Tests/" + $0), encoding: .utf8))
        }
        let examples = try examples(article).filter { !isManifest($0) }
        #expect(!examples.isEmpty)
        for example in examples {
            let isCompiled = sources.contains { source in
                source.indices.contains { source[$0...].starts(with: example) }
            }
            #expect(isCompiled, "not in the tests: \(example.joined(separator: "\n"))")
        }
    }

    @Test("fit on a screen", arguments: programs)
    func short(article: String) throws {
        for example in try examples(article) { #expect(example.count <= 45, "\(example[0])") }
    }

    @Test("begin with a package of its program and of products that there are", arguments: programs)
    func manifests(article: String) throws {
        let package = try String(
            contentsOf: Self.repository.appendingPathComponent("Package.swift"), encoding: .utf8)
        let manifest = try #require(examples(article).first)
        #expect(isManifest(manifest))
        let name = try #require(manifest.first { $0.hasPrefix("name: ") }).split(separator: "\"")[1]
        #expect(package.contains("path: \"Tests/Programs/\(name)\""))
        let products = manifest.filter { $0.hasPrefix(".product") }.map { $0.split(separator: "\"")[1] }
        #expect(products.contains("GalletaTesting"))
        for product in products { #expect(package.contains(".library(name: \"\(product)\"")) }
    }

    private static let programs =
        ["YourFirstProgram", "FormsAndUploads", "ErrorPages", "LogPeopleIn"].map { "Galleta/Galleta.docc/\($0)" }
        + ["PHPSessions/PHPSessions.docc/BesidePHP"]

    private func isManifest(_ example: [String]) -> Bool { example.first?.hasPrefix("// swift-tools-version") == true }

    @Test(
        "show a program whole",
        arguments: [
            ("Sessions/Sessions.docc/WriteAProvider", "Programs/ProviderProgram/DictionaryProvider.swift"),
            ("Sessions/Sessions.docc/WriteAProvider", "Programs/ProviderProgram/main.swift"),
            ("Galleta/Galleta.docc/TestYourHandlers", "Programs/ShopProgram/Shop.swift"),
            ("Galleta/Galleta.docc/TestYourHandlers", "Programs/ShopProgram/main.swift"),
            ("Galleta/Galleta.docc/YourFirstProgram", "Programs/FirstProgram/Hello.swift"),
            ("Galleta/Galleta.docc/YourFirstProgram", "ArticleProgramTests/HelloTests.swift"),
            ("Galleta/Galleta.docc/FormsAndUploads", "Programs/FormsProgram/GuestBook.swift"),
            ("Galleta/Galleta.docc/FormsAndUploads", "Programs/FormsProgram/Photos.swift"),
            ("Galleta/Galleta.docc/FormsAndUploads", "Programs/FormsProgram/Page.swift"),
            ("Galleta/Galleta.docc/FormsAndUploads", "ArticleProgramTests/GuestBookTests.swift"),
            ("Galleta/Galleta.docc/ErrorPages", "Programs/ErrorsProgram/Recipes.swift"),
            ("Galleta/Galleta.docc/ErrorPages", "ArticleProgramTests/RecipesTests.swift"),
            ("Galleta/Galleta.docc/ErrorPages", "ArticleProgramTests/RecipesTests.swift"),
            ("Galleta/Galleta.docc/LogPeopleIn", "Programs/LogInProgram/Diary.swift"),
            ("Galleta/Galleta.docc/LogPeopleIn", "Programs/LogInProgram/LogIn.swift"),
            ("Galleta/Galleta.docc/LogPeopleIn", "Programs/LogInProgram/Page.swift"),
            ("Galleta/Galleta.docc/LogPeopleIn", "ArticleProgramTests/DiaryTests.swift"),
            ("PHPSessions/PHPSessions.docc/BesidePHP", "Programs/CheckoutProgram/Cart.swift"),
            ("PHPSessions/PHPSessions.docc/BesidePHP", "Programs/CheckoutProgram/Checkout.swift"),
            ("PHPSessions/PHPSessions.docc/BesidePHP", "Programs/CheckoutProgram/Page.swift"),
            ("PHPSessions/PHPSessions.docc/BesidePHP", "ArticleProgramTests/CheckoutTests.swift"),
        ])
    func whole(article: String, file: String) throws {
        let source = lines(
            try String(contentsOf: Self.repository.appendingPathComponent("Tests/" + file), encoding: .utf8))
        let shown = try examples(article).filter { example in
            source.indices.contains { source[$0...].starts(with: example) }
        }
        #expect(Array(shown.joined()) == source)
    }
}
