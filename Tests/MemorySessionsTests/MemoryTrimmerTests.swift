import GalletaPlatform
import Testing

@testable import MemorySessions

@Suite("Memory asked back from malloc")
struct MemoryTrimmerTests {
    private let start = BootInstant(nanoseconds: 0)

    private func after(_ seconds: Int) -> BootInstant { start.advanced(by: .seconds(seconds)) }

    @Test("only when most of a large peak is gone", arguments: [(200, 50, true), (200, 51, false), (80, 17, false)])
    func most(peak: Int, held: Int, isDue: Bool) {
        var trimmer = MemoryTrimmer(at: start)
        let before = trimmer.isDue(held: peak << 20, at: after(20))
        let now = trimmer.isDue(held: held << 20, at: after(40))
        #expect(!before && now == isDue)
    }

    @Test("once for each peak, and not more than every ten seconds")
    func once() {
        var trimmer = MemoryTrimmer(at: start)
        let due = [(200, 5), (0, 9), (0, 10), (0, 30), (200, 31), (0, 32), (200, 33), (0, 34)].map { held, second in
            trimmer.isDue(held: held << 20, at: after(second))
        }
        #expect(due == [false, false, true, false, false, true, false, false])
    }
}
