import TestSupport
import Testing

@Suite("Peers that hold on")
struct StuckPeersTests {
}
