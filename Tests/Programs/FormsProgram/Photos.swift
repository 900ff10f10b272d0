import GalletaCommand

/// JPEG files in a folder, by numbers.
struct Photos {
    let folder: String

    func path(of id: Int) -> String { "\(folder)/\(id).jpg" }

    /// Keeps an upload under a name of ours, and returns its number.
    func keep(_ file: UploadedFile?) throws -> Int {
        guard let file, try file.bytes(upTo: 3) == [0xff, 0xd8, 0xff] else {
            throw HTTPError(.badRequest, "Choose a photo, as a JPEG file.")
        }
        let id = Int.random(in: 1 ... .max)
        try file.move(to: path(of: id))
        return id
    }
}
