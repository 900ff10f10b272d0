import GalletaCommand

/// `GET /`: the page. `POST /note`: keeps a note in the visitor's session.
enum Notes {
    static func add(to app: Application) {
        app.get("/") { request, session in
            let page = Page(
                mount: request.mount,
                token: try session.csrfToken(),
                user: try session.user?.string,
                notice: try session.popFlash("notice", as: String.self),
                notes: try session.get("notes", as: [String].self) ?? [])
            return .html(page.html)
        }
        app.post("/note") { request, session in
            let note = try request.form().fields.require("note")
            // Atomic: of two notes at the same time none is lost.
            try session.update("notes", default: [String]()) { notes in
                if !note.isEmpty { notes = notes.suffix(9) + [note] }
            }
            return try .redirect(to: request.mount + "/")
        }
    }
}
