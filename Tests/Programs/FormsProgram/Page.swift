import GalletaCommand

func page(_ request: Request, _ session: Session) throws -> HTML {
    let token = try session.csrfToken()
    let notice: String? = try session.popFlash("notice")
    let entries = try session.get("entries", as: [GuestBook.Entry].self) ?? []
    let photo: HTML? = try session.get("photo", as: Int.self).map { id in
        "<img src=\"\(request.mount)/photos/\(id)\" alt=\"Your photo\">"
    }
    let rows = entries.map { entry -> HTML in
        "<li>\(entry.name), \(entry.stars) stars: \(entry.text)</li>"
    }
    return """
        <!doctype html>
        <title>Guest book</title>
        <p>\(notice)</p>
        <ul>\(rows)</ul>
        <form method="post" action="\(request.mount)/entries">
        <input type="hidden" name="csrf" value="\(token)">
        <label>Name <input name="name" required></label>
        <label>Stars <input name="stars" type="number" value="5"></label>
        <label>Text <input name="text"></label>
        <button>Write</button>
        </form>
        <form method="post" action="\(request.mount)/photos" enctype="multipart/form-data">
        <input type="hidden" name="csrf" value="\(token)">
        <label>Photo <input type="file" name="photo" accept="image/jpeg" required></label>
        <button>Send</button>
        </form>
        \(photo)

        """
}
