import Foundation
import Galleta
import GalletaFoundation
import GalletaPlatform
import GalletaTesting
import Testing

@Suite("Foundation's types in requests")
struct FoundationInputTests {
    private let id = "5A8F3E0C-2B77-4B44-9A0F-0C3D4E5F6A7B"

    private func fields(_ pairs: (ByteString, String)...) -> FormFields {
        FormFields(pairs.map { (name: $0.0, value: $0.1) })
    }

    @Test("are taken from fields, and what is none of them is 400")
    func fields() throws {
        let fields = fields(("id", id), ("day", "2026-11-28"), ("bad", "x"), ("empty", ""))
        #expect(try fields.require("id", as: UUID.self) == UUID(uuidString: id))
        #expect(try fields.value("id", as: UUID.self) == UUID(uuidString: id))
        #expect(try fields.require("day", as: Date.self) == Date(timeIntervalSince1970: 1_795_824_000))
        #expect(try fields.value("day", as: Date.self) == Date(timeIntervalSince1970: 1_795_824_000))
        for name in ["empty", "none"] as [ByteString] {
            #expect(try fields.value(name, as: UUID.self) == nil)
            #expect(try fields.value(name, as: Date.self) == nil)
        }
        for name in ["bad", "none"] as [ByteString] {
            #expect(throws: HTTPError.self) { try fields.require(name, as: UUID.self) }
            #expect(throws: HTTPError.self) { try fields.require(name, as: Date.self) }
        }
        #expect(throws: HTTPError.self) { try fields.value("bad", as: UUID.self) }
        #expect(throws: HTTPError.self) { try fields.value("bad", as: Date.self) }
    }

    @Test("are taken from the path, and there is no page at an address with anything else")
    func path() throws {
        let app = try Application.testing()
        app.get("/orders/:id") { request, _ in
            .text(try request.pathParameters.require("id", as: UUID.self).uuidString)
        }
        app.get("/days/:day") { request, _ in
            .text("\(try request.pathParameters.require("day", as: Date.self).timeIntervalSince1970)")
        }
        try app.test { client throws in
            #expect(try client.get("/orders/\(id.lowercased())").text == id)
            #expect(try client.get("/days/2026-11-28").text == "1795824000.0")
            #expect(try client.get("/orders/7").status == .notFound)
            #expect(try client.get("/days/2026-02-30").status == .notFound)
        }
    }

    @Test(
        "dates are read as ISO 8601 has them, and nothing else is one",
        arguments: [
            ("1970-01-01", 0), ("1970-01-01T00:00", 0), ("1970-01-01T00:00:01", 1), ("1970-01-01T00:00:01Z", 1),
            ("1970-01-01 00:00:01.5Z", 1.5), ("1970-01-01T01:00:00+01:00", 0), ("1969-12-31T23:00:00-0100", 0),
            ("2000-02-29T00:00:00z", 951_782_400), ("1700-01-01", -8_520_336_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
            ("1969-12-31T23:59:59.5Z", -0.5), ("2026-11-28T09:30:00+05", 1_795_840_200),
            ("", nil), ("2026", nil), ("2026-13-01", nil), ("2026-02-29", nil), ("2026-00-10", nil),
            ("2026-01-00", nil),
            ("26-01-01", nil), ("2026-1-1", nil), ("2026-01-01T", nil), ("2026-01-01T24:00", nil),
            ("2026-01-01T00:60", nil), ("2026-01-01T00:00:61", nil), ("2026-01-01T00:00:00.", nil),
            ("2026-01-01T00:00:00+1", nil), ("2026-01-01T00:00:00+01:60", nil), ("2026-01-01T00:00:00ZZ", nil),
            ("2026-01-01x", nil), ("\u{0662}026-01-01", nil), ("+026-01-01", nil),
        ] as [(String, Double?)])
    func dates(text: String, seconds: Double?) throws {
        let value = try? fields(("d", text)).require("d", as: Date.self)
        #expect(value?.timeIntervalSince1970 == seconds)
        guard let seconds else { return }
        // Foundation reads what we write.
        let written = try #require(CivilDate.text(ofSeconds: seconds))
        let isWhole = seconds.rounded() == seconds
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: !isWhole)
        #expect(try style.parse(written).timeIntervalSince1970 == seconds)
    }
}
