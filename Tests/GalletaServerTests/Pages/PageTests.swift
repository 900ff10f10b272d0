import Foundation
import Galleta
import Testing

@testable import GalletaServer

@Suite struct PageTests {
    private func page(
        _ account: Page.Account, message: String? = nil, counter: Int? = nil
    ) -> String {
        Page(
            title: "T", message: message, facts: [("You are", "<b>")], counter: counter, mount: "/app", csrf: "token",
            account: account
        ).html.markup
    }

    private func row(_ number: Int, isCurrent: Bool = false) -> Page.SessionRow {
        Page.SessionRow(
            reference: "r\(number)", client: "Firefox on Linux, 192.0.2.0/24", began: "28 Nov 11:05:12 UTC",
            lastSeen: "now", isCurrent: isCurrent)
    }

    @Test func buttonsOfAListHaveNamesOfTheirOwnThatBeginWithWhatTheyShow() {
        let html = page(.sessions((0..<5).map { row($0, isCurrent: $0 == 0) }, more: 0))
        let labels = html.components(separatedBy: "aria-label=\"").dropFirst().map {
            String($0.prefix { $0 != "\"" })
        }
        #expect(labels.count == 4)
        #expect(Set(labels).count == 4)
        #expect(labels.allSatisfy { $0.hasPrefix("Log out ") })
    }

    @Test func sessionsThatAreNotShownAreCounted() {
        #expect(page(.sessions([row(1)], more: 31)).contains("and 31 more"))
        #expect(!page(.sessions([row(1)], more: 0)).contains("more"))
    }

    @Test func theCurrentSessionIsNamedAndHasNoButton() {
        let html = page(.sessions([row(1, isCurrent: true)], more: 0))
        #expect(html.contains("(this browser)"))
        #expect(!html.contains("/app/sessions/end"))
    }

    @Test func withoutCredentialsThereIsNoLogInForm() {
        #expect(!page(.none).contains("password"))
        #expect(page(.form(userName: "")).contains("action=\"/app/login\""))
    }

    @Test func theUserNameStaysInTheFormEscapedAndThePasswordHasTheFocus() {
        let html = page(.form(userName: "a\"<b>"))
        #expect(html.contains("value=\"a&quot;&lt;b&gt;\""))
        #expect(html.contains("required autofocus"))
        #expect(!page(.form(userName: "")).contains("autofocus"))
    }

    @Test func theCounterHasAFormWithTheToken() {
        let html = page(.none, counter: 7)
        #expect(html.contains("<dd>7<form method=\"post\" action=\"/app/counter\">"))
        #expect(html.contains("name=\"csrf\" value=\"token\""))
    }

    @Test func textOfOthersIsEscaped() {
        #expect(page(.none, message: "<i>").contains("&lt;i&gt;"))
        #expect(page(.none).contains("<dd>&lt;b&gt;</dd>"))
    }

    // WCAG 2.2, 1.4.3 and 1.4.11.
    @Test(arguments: [
        ("edge", "card", 3.0), ("edge", "paper", 3.0), ("crust", "card", 4.5), ("crust", "paper", 4.5),
        ("card", "crust", 4.5), ("ink", "card", 7.0), ("ink", "paper", 7.0),
    ])
    func outlinesAndTextStandOutInLightAndDark(_ name: String, _ surroundings: String, _ wanted: Double) throws {
        let schemes = try Self.schemes()
        #expect(schemes.count == 2)
        for colors in schemes {
            let ratio = Self.contrast(try #require(colors[name]), try #require(colors[surroundings]))
            #expect(ratio >= wanted, "\(name) on \(surroundings): \(ratio)")
        }
    }

    @Test func controlsAreOutlinedByTheEdgeColor() {
        #expect(
            Page.style.contains("input, button { font: inherit; padding: .55rem .7rem; border: 1px solid var(--edge)"))
    }

    /// The custom properties of each `:root` in the style: light, then dark.
    private static func schemes() throws -> [[String: String]] {
        Page.style.components(separatedBy: ":root {").dropFirst().map { block in
            let declarations = block.prefix { $0 != "}" }.split(separator: ";").map { $0.split(separator: ":") }
            return Dictionary(
                uniqueKeysWithValues: declarations.compactMap { parts in
                    let name = parts.first?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
                    guard parts.count == 2, name.hasPrefix("--") else { return nil }
                    return (String(name.dropFirst(2)), parts[1].trimmingCharacters(in: .whitespaces))
                })
        }
    }

    private static func contrast(_ one: String, _ other: String) -> Double {
        let (high, low) = (max(luminance(one), luminance(other)), min(luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)
    }

    private static func luminance(_ color: String) -> Double {
        let value = UInt32(color.dropFirst(), radix: 16) ?? 0
        let linear = [16, 8, 0].map { shift in
            let part = Double(value >> UInt32(shift) & 0xFF) / 255
            return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }
}
