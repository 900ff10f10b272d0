import GalletaPlatform
import Testing

@Suite("Times in nanoseconds")
struct BootInstantTests {
    @Test("end at the ends of their range, whatever a file or a caller says")
    func saturation() {
        for (seconds, nanoseconds, expected) in [
            (0, 0, 0), (1, 5, 1_000_000_005), (-1, 5, -999_999_995), (9_223_372_036, 854_775_807, .max),
            (9_223_372_036, 854_775_808, .max), (9_300_000_000, 0, .max), (-9_300_000_000, 999_999_999, .min),
            (.max, 999_999_999, .max), (.min, 0, .min),
        ] as [(Int, Int, Int64)] {
            #expect(Int64(nanosecondsOf: seconds, nanoseconds) == expected)
        }
        #expect(Int64.max.addingSaturated(1) == .max && Int64.min.addingSaturated(-1) == .min)
        #expect(Int64.max.subtractingSaturated(-1) == .max && Int64.min.subtractingSaturated(1) == .min)
        #expect(Int64.min.subtractingSaturated(.min) == 0 && Int64(0).subtractingSaturated(.min) == .max)
        #expect(Duration.seconds(Int64.max).nanoseconds == .max && Duration.seconds(Int64.min).nanoseconds == .min)
    }
}
