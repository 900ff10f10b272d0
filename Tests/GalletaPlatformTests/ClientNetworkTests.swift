import GalletaPlatform
import Testing

@Suite struct ClientNetworkTests {
    @Test(arguments: [
        ("192.0.2.77", "192.0.2.0/24"), ("2001:db8:0:1:a:b:c:d", "2001:db8:0:1::/64"), ("::1", "::/64"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
    ])
    func anAddressIsNamedByItsNetwork(_ address: String, _ network: String) {
        #expect(ClientNetwork(address, sixBits: 64).name == network)
    }

    @Test(arguments: ["", "unix:", "192.0.2", "192.0.2.1.5", "host", "<script>"])
    func whatIsNoAddressHasNoNetwork(_ address: String) {
        #expect(ClientNetwork(address, sixBits: 64).name == nil)
    }

    @Test func lengthsThatDifferAreNamed() {
        #expect(ClientNetwork("2001:db8:1:2ff::1").name == "2001:db8:1:200::/56")
        #expect(ClientNetwork("2001:db8:1:2ff::1", sixBits: 64).name == "2001:db8:1:2ff::/64")
    }
}
