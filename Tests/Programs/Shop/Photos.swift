import Galleta

/// `GET /`: the user's photos. `POST /photos`: one more. `GET /photos/:id`: one of them.
struct Photos: Sendable {
    let folder: String

    func add(to account: some RouteBuilder) {
        account.get("/") { request, session in
            try Page(request, session).account(photos: session.get("photos") ?? [])
        }
        // More than the server takes elsewhere (nginx has to let it pass, too), and only of who is logged in.
        account.post("/photos", maxBodyBytes: 20 << 20) { request, session in
            guard let photo = try request.form().file("photo"), try photo.bytes(upTo: 3) == [0xff, 0xd8, 0xff] else {
                throw HTTPError(.badRequest, "Choose a photo, as a JPEG file.")
            }
            // The name is ours: the client's may be anything.
            let id = Int.random(in: 1 ... .max)
            try photo.move(to: path(of: id))
            try session.update("photos", default: [Int]()) { photos in photos.append(id) }
            try session.setFlash("notice", "The photo is there.")
            return try .redirect(to: request.mount + "/account")
        }
        account.get("/photos/:id") { request, session in
            let id = try request.pathParameters.require("id", as: Int.self)
            guard try session.get("photos", as: [Int].self)?.contains(id) == true else { throw HTTPError(.notFound) }
            return try .file(path(of: id), for: request)
        }
    }

    private func path(of id: Int) -> String { "\(folder)/\(id).jpg" }
}
