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
        ])
    func compiled(article: String, files: [String]) throws {
        let sources = try files.map {
            lines(
                try String(
                    contentsOf: Self.repository.appendingPathComponent("Tests/" + $0), encoding: .utf8))
        }
        let examples = try examples(article)
        #expect(!examples.isEmpty)
        for example in examples {
            let isCompiled = sources.contains { source in
                source.indices.contains { source[$0...].starts(with: example) }
            }
            #expect(isCompiled, "not in the tests: \(example.joined(separator: "\n"))")
        }
    }

    @Test(
        "show a program whole",
        arguments: [
            ("Sessions/Sessions.docc/WriteAProvider", "Programs/ProviderProgram/DictionaryProvider.swift"),
            ("Sessions/Sessions.docc/WriteAProvider", "Programs/ProviderProgram/main.swift"),
            ("Galleta/Galleta.docc/TestYourHandlers", "Programs/ShopProgram/Shop.swift"),
            ("Galleta/Galleta.docc/TestYourHandlers", "Programs/ShopProgram/main.swift"),
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
