import Testing

@testable import GalletaServer

@Suite("The page")
struct HomePageTests {
    @Test(
        "says what is left of a session in its largest unit, and takes a minute that has begun for whole",
        arguments: [
            (.milliseconds(1), "1 second"), (.seconds(1), "1 second"), (.milliseconds(59_001), "60 seconds"),
            (.seconds(119), "119 seconds"), (.milliseconds(119_001), "2 minutes"), (.seconds(121), "3 minutes"),
            (.milliseconds(1_799_999), "30 minutes"), (.seconds(1800), "30 minutes"), (.seconds(1740), "29 minutes"),
            (.milliseconds(43_199_999), "12 hours"), (.seconds(7_300), "2 hours"), (.zero, "0 seconds"),
            (.milliseconds(172_799_500), "2 days"), (.nanoseconds(Int64.max), "106751 days"),
        ] as [(Duration, String)])
    func remaining(duration: Duration, words: String) {
        #expect(HomePage.words(HomePage.roundedUp(duration)) == words)
    }
}
