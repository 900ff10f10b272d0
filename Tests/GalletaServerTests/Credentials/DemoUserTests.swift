import GalletaPlatform
import Testing

@testable import GalletaServer

@Suite("The demo user")
struct DemoUserTests {
    @Test("only the printed name and password are taken")
    func verifies() {
        let demo = DemoUser()
        #expect(demo.verify(user: ByteString(demo.name), password: ByteString(demo.password)) != nil)
        for (user, password) in [
            ("", ""), (demo.name, ""), (demo.name, demo.password + "x"), (demo.name, String(demo.password.dropLast())),
            (demo.name, "-" + demo.password.dropFirst()), ("root", demo.password), ("", demo.password),
        ] {
            #expect(demo.verify(user: ByteString(user), password: ByteString(password)) == nil)
        }
    }

    @Test("every start has a password of its own, of 16 characters")
    func isRandom() {
        let passwords = Set((0..<100).map { _ in DemoUser().password })
        #expect(passwords.count == 100)
        #expect(passwords.allSatisfy { $0.count == 16 })
    }
}
