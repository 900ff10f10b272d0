internal import GalletaPlatform

/// A time as HTTP writes it (RFC 9110, section 5.6.7), to the second.
struct HTTPDate: Equatable, Comparable {
    /// Since 1970, UTC.
    let seconds: Int

    init(seconds: Int) {
        self.seconds = seconds
    }

    /// Any of the three forms that a client may send; nil for what is none.
    init?(_ text: String) {
        let words = text.split { $0 == " " || $0 == "," || $0 == "-" }
        // Sun, 06 Nov 1994 08:49:37 GMT; Sunday, 06-Nov-94 08:49:37 GMT; Sun Nov  6 08:49:37 1994
        let (day, month, year, time): (Substring, Substring, Substring, Substring)
        if words.count == 6, words[5] == "GMT" {
            (day, month, year, time) = (words[1], words[2], words[3], words[4])
        } else if words.count == 5 {
            (day, month, time, year) = (words[2], words[1], words[3], words[4])
        } else {
            return nil
        }
        let clock = time.split(separator: ":").map { Int($0) }
        guard let monthIndex = Self.months.firstIndex(of: String(month)), let day = Int(day), (1...31).contains(day),
            var year = Int(year), (0...9999).contains(year), clock.count == 3, let hour = clock[0],
            let minute = clock[1],
            let second = clock[2], (0..<24).contains(hour), (0..<60).contains(minute), (0...60).contains(second)
        else { return nil }
        if words[3].utf8.count == 2, words.count == 6 { year += year < 70 ? 2000 : 1900 }
        seconds = 86_400 * CivilDate.days(year, monthIndex + 1, day) + 3600 * hour + 60 * minute + second
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    var text: String {
        let (days, rest) = (seconds.floorDivided(by: 86_400), seconds - 86_400 * seconds.floorDivided(by: 86_400))
        let (year, month, day) = CivilDate.date(days)
        let weekday = Self.weekdays[(days % 7 + 11) % 7]
        return "\(weekday), \(CivilDate.digits(2, day)) \(Self.months[month - 1]) \(CivilDate.digits(4, year)) "
            + "\(CivilDate.digits(2, rest / 3600)):\(CivilDate.digits(2, rest / 60 % 60)):\(CivilDate.digits(2, rest % 60)) GMT"
    }

    static func < (left: HTTPDate, right: HTTPDate) -> Bool { left.seconds < right.seconds }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
