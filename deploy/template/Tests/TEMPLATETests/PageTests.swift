import Testing

@testable import TEMPLATE

@Suite("The page")
struct PageTests {
    private func page(user: String? = nil, notes: [String] = []) -> String {
        Page(mount: "/app", token: "secret", user: user, notice: nil, notes: notes).html.markup
    }

    @Test("shows what a visitor has written as text, never as markup")
    func escapes() {
        let markup = page(notes: ["<script>alert(1)</script>"])
        #expect(markup.contains("&lt;script&gt;") && !markup.contains("<script>"))
    }

    @Test("has a form to log in for who is not, and to log out for who is; each with the session's token")
    func forms() {
        #expect(page().contains("action=\"/app/login\"") && !page().contains("action=\"/app/logout\""))
        let loggedIn = page(user: "ada")
        #expect(loggedIn.contains("Hello, ada") && loggedIn.contains("action=\"/app/logout\""))
        for markup in [page(), loggedIn] {
            let forms = markup.split(separator: "<form").dropFirst()
            #expect(forms.count == 2 && forms.allSatisfy { $0.contains("name=\"csrf\" value=\"secret\"") })
        }
    }
}
