import Foundation
import GalletaCommand
import GalletaTesting
import Testing

@testable import FormsProgram

@Suite("The guest book")
struct GuestBookTests {
    private func application(_ arguments: [String] = []) throws -> Application {
        let app = try Application.testing()
        try GuestBook.parse(arguments).routes(app)
        return app
    }

    @Test("keeps what a visitor writes, and thanks once")
    func writes() throws {
        try application().test { client in
            let reply = try client.post(
                "/entries", form: ["csrf": client.csrfToken(), "name": "Ada", "stars": "5", "text": "<b>Good</b>"])
            let page = try client.follow(reply).text
            #expect(page.contains("name=\"csrf\"") && page.contains("Thank you, Ada."))
            #expect(page.contains("Ada, 5 stars: &lt;b&gt;Good&lt;/b&gt;"))
            #expect(try !client.get("/").text.contains("Thank you"))
        }
    }

    @Test(
        "says what is wrong with a form",
        arguments: [
            ("five", "the field \"stars\" has not the expected form"), ("6", "Give 1 to 5 stars."),
            (nil, "the field \"stars\" is missing"),
        ])
    func refuses(stars: String?, message: String) throws {
        try application().test { client in
            var form: FormFields = ["csrf": try client.csrfToken(), "name": "Ada"]
            if let stars { form.append("stars", stars) }
            let reply = try client.post("/entries", form: form)
            #expect(reply.status == .badRequest && reply.text.contains(message))
        }
    }

    @Test("takes nothing without the token of its page")
    func forged() throws {
        try application().test { client throws in
            let reply = try client.post("/entries", form: ["name": "Ada", "stars": "5"])
            #expect(reply.status == .forbidden)
        }
    }

    @Test("keeps a photo and shows it to who sent it")
    func photos() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try application(["--photos", folder.path]).test { client in
            func send(_ bytes: [UInt8]) throws -> TestReply {
                let file = TestPart.file("photo", filename: "me.jpg", type: "image/jpeg", bytes)
                return try client.post("/photos", content: .multipart([.field("csrf", try client.csrfToken()), file]))
            }
            let jpeg: [UInt8] = [0xff, 0xd8, 0xff, 0xe0]
            let page = try client.follow(send(jpeg)).text
            let image = try #require(page.firstMatch(of: #/src="([^"]+)"/#))
            #expect(try client.get(String(image.1)).body == jpeg)
            #expect(try client.another().get(String(image.1)).status == .notFound)
            #expect(try send(Array("GIF89a".utf8)).status == .badRequest)
            #expect(try send([UInt8](repeating: 0xff, count: 5 << 20)).status == .contentTooLarge)
        }
    }
}
