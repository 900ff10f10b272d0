import GalletaCommand

@main
struct GuestBook: ServerCommand {
    @OptionGroup var options: ServerOptions
    @Option(help: "Folder that photos are kept in.") var photos = "/tmp"

    /// What the form sends.
    struct Entry: Codable {
        var name: String
        var stars: Int
        var text: String?
    }

    func routes(_ app: Application) {
        let photos = Photos(folder: photos)
        app.use(.requireCSRF())
        app.get("/") { request, session in
            try page(request, session)
        }
        app.post("/entries", maxBodyBytes: 64 << 10) { request, session in
            let entry = try request.decode(Entry.self)
            guard 1...5 ~= entry.stars else { throw HTTPError(.badRequest, "Give 1 to 5 stars.") }
            guard entry.name.count + (entry.text ?? "").count <= 500 else { throw HTTPError(.badRequest, "Be brief.") }
            // A session has 64 KiB.
            try session.update("entries", default: [Entry]()) { entries in entries = entries.suffix(19) + [entry] }
            try session.setFlash("notice", "Thank you, \(entry.name).")
            return try .redirect(to: request.mount + "/")
        }
        app.post("/photos", maxBodyBytes: 4 << 20) { request, session in
            let form = try request.form()
            let id = try photos.keep(form.file("photo"))
            try session.set("photo", id)
            return try .redirect(to: request.mount + "/")
        }
        app.get("/photos/:id") { request, session in
            let id = try request.pathParameters.require("id", as: Int.self)
            guard try session.get("photo") == id else { throw HTTPError(.notFound) }
            return try .file(photos.path(of: id), for: request)
        }
    }
}
