internal import Galleta

/// The one page, without assets from elsewhere.
struct Page {
    let title: String
    let message: String?
    let facts: [(name: String, value: String)]
    /// The counter's value, and with it the button that counts on; nil shows neither.
    let counter: Int?
    let mount: String
    /// The token of the forms; nil where there is no session to keep it in.
    let csrf: String?
    let account: Account

    /// What the page offers, by who looks at it.
    enum Account {
        /// Nobody can log in here.
        case none
        /// The log-in form, with this user name in it.
        case form(userName: String)
        /// The user's sessions, of which some may not be shown.
        case sessions([SessionRow], more: Int)
    }

    /// One of the user's sessions, in words.
    struct SessionRow {
        let reference: String
        let client: String
        let began: String
        let lastSeen: String
        let isCurrent: Bool
    }

    var html: HTML {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(title)</title>
        <style>\(raw: Self.style)</style>
        </head>
        <body>
        <main>
        <h1>\(title)</h1>
        <p class="lead">A session, served by Swift behind your web server.</p>
        \(messageHTML)<dl>
        \(factsHTML)
        </dl>
        \(accountHTML)
        </main>
        </body>
        </html>

        """
    }

    private var messageHTML: HTML? {
        message.map { "<p class=\"message\" role=\"alert\">\($0)</p>\n" }
    }

    private var factsHTML: HTML {
        var rows: [HTML] = facts.map { "<div><dt>\($0.name)</dt><dd>\($0.value)</dd></div>\n" }
        if let counter {
            let count = form(to: "/counter", button: "Count on", isQuiet: true)
            rows.append("<div><dt>Counter</dt><dd>\(counter)\(count)</dd></div>\n")
        }
        return "\(rows)"
    }

    private var accountHTML: HTML {
        switch account {
        case .none: ""
        case .form(let userName): loginForm(userName)
        case .sessions(let rows, let more): sessionList(rows, more: more)
        }
    }

    private var token: HTML? {
        csrf.map { "<input type=\"hidden\" name=\"\(FormGuard.field)\" value=\"\($0)\">" }
    }

    private func loginForm(_ userName: String) -> HTML {
        // Who has typed a name goes on with the password.
        let (name, password): (HTML, HTML) = userName.isEmpty ? ("", "") : (" value=\"\(userName)\"", " autofocus")
        return """
            <form method="post" action="\(mount)/login">
            <h2>Log in</h2>
            \(token)
            <label>User name <input name="username" autocomplete="username" autocapitalize="none" required\(name)></label>
            <label>Password <input name="password" type="password" autocomplete="current-password" required\(password)></label>
            <button>Log in</button>
            </form>
            """
    }

    private func sessionList(_ rows: [SessionRow], more: Int) -> HTML {
        """
        <section>
        <h2>Where you are logged in</h2>
        <ul>
        \(rows.enumerated().map { row($0 + 1, $1) })
        </ul>
        \(more > 0 ? "<p>and \(more) more</p>" as HTML : nil)
        </section>
        \(rows.count > 1 ? form(to: "/sessions/end-others", button: "Log out everywhere else", isQuiet: true) : nil)
        \(form(to: "/logout", button: "Log out"))
        """
    }

    private func row(_ number: Int, _ row: SessionRow) -> HTML {
        let reference: HTML =
            "<input type=\"hidden\" name=\"\(UserSessions.field)\" value=\"\(row.reference)\">"
        // Each button has a name of its own that begins with what it shows (WCAG 2.2, 2.5.3).
        let end = form(
            to: "/sessions/end", fields: reference, button: "Log out",
            label: "Log out number \(number), \(row.client), began \(row.began)", isQuiet: true)
        return """
            <li><span><strong>\(row.client)</strong>\(row.isCurrent ? " (this browser)" : "")<br>
            <small>began \(row.began), last seen \(row.lastSeen)</small></span>
            \(row.isCurrent ? nil : end)</li>
            """
    }

    private func form(
        to path: String, fields: HTML? = nil, button: String, label: String? = nil, isQuiet: Bool = false
    ) -> HTML {
        let quiet: HTML? = isQuiet ? " class=\"quiet\"" : nil
        let name: HTML? = label.map { " aria-label=\"\($0)\"" }
        return """
            <form method="post" action="\(mount + path)">
            \(token)\(fields)
            <button\(quiet)\(name)>\(button)</button>
            </form>
            """
    }

    // MARK: Style

    // --edge outlines what can be used and is at least 3:1 against its surroundings (WCAG 2.2, 1.4.11); --line only
    // divides. Widths give way before words do: nothing scrolls sideways at 320 px.
    static let style = """
        :root { color-scheme: light dark; --ink: #2b2118; --paper: #fbf6ee; --card: #ffffff; --line: #e6dac8;
          --edge: #8a7560; --crust: #9a5a1a; }
        @media (prefers-color-scheme: dark) {
          :root { --ink: #f1e7da; --paper: #1d1712; --card: #28201a; --line: #45382c; --edge: #94806c; --crust: #e0a05a; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; min-height: 100vh; display: grid; grid-template-columns: minmax(0, 34rem); place-content: center;
          background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
        main { margin: clamp(.5rem, 3vw, 2rem); padding: clamp(1rem, 5vw, 2rem); background: var(--card);
          border: 1px solid var(--line); border-radius: 14px; }
        h1 { margin: 0; font-size: 1.8rem; color: var(--crust); }
        h2 { margin: 0 0 .5rem; font-size: 1.1rem; }
        .lead { margin: .2rem 0 1.5rem; }
        .message { padding: .6rem .8rem; border-left: 4px solid var(--crust); background: var(--paper); }
        dl { margin: 0 0 1.5rem; }
        dl div, li { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: .2rem 1rem;
          padding: .5rem 0; border-bottom: 1px solid var(--line); }
        dd { margin: 0; font-weight: 600; }
        form { margin: 0 0 .8rem; display: grid; gap: .8rem; }
        dd form, li form { margin: 0; display: inline-grid; }
        dd form { margin-left: .6rem; }
        label { display: grid; gap: .2rem; }
        input, button { font: inherit; padding: .55rem .7rem; border: 1px solid var(--edge); border-radius: 8px;
          background: var(--paper); color: inherit; min-width: 0; }
        button { background: var(--crust); color: var(--card); border-color: var(--crust); font-weight: 600;
          cursor: pointer; }
        button.quiet { background: none; color: var(--crust); border-color: var(--edge); }
        section { margin: 0 0 1rem; }
        ul { list-style: none; margin: 0; padding: 0; }
        li > span { flex: 1 1 14rem; }
        :focus-visible { outline: 3px solid var(--crust); outline-offset: 2px; }
        """
}
