import GalletaPlatform
import Testing

@testable import Passwords

@Suite("What a user's entry signs")
struct CredentialTests {
    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // By Python's hmac module. Sessions and browsers of before an upgrade depend on it.
    @Test("is HMAC-SHA256 over label, message and user, for any key and for message after message")
    func vectors() {
        let ada = Credential(user: "ada", entry: "entry".utf8)
        let nonce = [UInt8](repeating: 7, count: 16)
        #expect(hex(ada.stamp) == "0b60f87a3bc2c784c556f2d6b70f99d1")
        #expect(hex(ada.sign("known browser", nonce)) == "26525721d65121d12016db1d7a14e379")
        #expect(
            hex(Credential(user: "ada", entry: []).sign("known browser", nonce)) == "dea6bf71da9bfc324b120728b8724dda")
        #expect(
            hex(Credential(user: "ada", entry: String(repeating: "k", count: 200).utf8).stamp)
                == "09ff118667dae13ee1638480cd362832")
        let signer = ada.signer("known browser")
        for message in [nonce, [], [1], nonce] {
            #expect(signer.sign(message) == ada.sign("known browser", message))
        }
    }
}
