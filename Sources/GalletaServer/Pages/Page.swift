/// The one page, without assets from elsewhere.
struct Page {
    let title: String
    let message: String?
    let facts: [(name: String, value: String)]
    let mount: String
    let csrf: String
    /// The sessions of the user who is logged in; nil shows the log-in form.
    let sessions: [SessionRow]?

    /// One of the user's sessions, in words.
    struct SessionRow {
        let reference: String
        let client: String
        let created: String
        let lastSeen: String
        let isCurrent: Bool
    }

    var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(HTML.escape(title))</title>
        <style>\(Self.style)</style>
        </head>
        <body>
        <main>
        <h1>\(HTML.escape(title))</h1>
        <p class="lead">A session, served by Swift behind your web server.</p>
        \(messageHTML)<dl>
        \(factsHTML)
        </dl>
        \(sessions.map(sessionList) ?? loginForm)
        </main>
        </body>
        </html>

        """
    }

    private var messageHTML: String {
        message.map { "<p class=\"message\" role=\"alert\">\(HTML.escape($0))</p>\n" } ?? ""
    }

    private var factsHTML: String {
        facts.map { "<div><dt>\(HTML.escape($0.name))</dt><dd>\(HTML.escape($0.value))</dd></div>" }
            .joined(separator: "\n")
    }

    private var token: String {
        "<input type=\"hidden\" name=\"\(FormGuard.field)\" value=\"\(HTML.escape(csrf))\">"
    }

    private var loginForm: String {
        """
        <form method="post" action="\(HTML.escape(mount))/login">
        <h2>Log in</h2>
        \(token)
        <label>User name <input name="username" autocomplete="username" required></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
        <button>Log in</button>
        </form>
        """
    }

    private func sessionList(_ rows: [SessionRow]) -> String {
        """
        <section>
        <h2>Where you are logged in</h2>
        <ul>
        \(rows.map(row).joined(separator: "\n"))
        </ul>
        </section>
        \(rows.count > 1 ? form(to: "/sessions/end-others", button: "Log out everywhere else", isQuiet: true) : "")
        \(form(to: "/logout", button: "Log out"))
        """
    }

    private func row(_ row: SessionRow) -> String {
        let reference =
            "<input type=\"hidden\" name=\"\(UserSessions.field)\" value=\"\(HTML.escape(row.reference))\">"
        return """
            <li><span><strong>\(HTML.escape(row.client))</strong>\(row.isCurrent ? " (this one)" : "")<br>
            <small>began \(HTML.escape(row.created)), last seen \(HTML.escape(row.lastSeen))</small></span>
            \(row.isCurrent ? "" : form(to: "/sessions/end", fields: reference, button: "Log out", isQuiet: true))</li>
            """
    }

    private func form(to path: String, fields: String = "", button: String, isQuiet: Bool = false) -> String {
        """
        <form method="post" action="\(HTML.escape(mount + path))">
        \(token)\(fields)
        <button\(isQuiet ? " class=\"quiet\"" : "")>\(HTML.escape(button))</button>
        </form>
        """
    }
}
