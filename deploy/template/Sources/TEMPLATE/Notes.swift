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
        app.post("/note", maxBodyBytes: 16 << 10) { request, session in
            let note = try request.form().fields.require("note")
            // What the page asks of browsers other clients need not keep; a session has 64 KiB.
            guard note.utf8.count <= 2_000 else { throw HTTPError(.badRequest, "a note has at most 2000 bytes") }
            // Atomic: of two notes at the same time none is lost.
            try session.update("notes", default: [String]()) { notes in
                if !note.isEmpty { notes = notes.suffix(9) + [note] }
            }
            return try .redirect(to: request.mount + "/")
        }
    }
}
