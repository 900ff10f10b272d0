/// The proleptic Gregorian calendar, and times as ISO 8601 writes them.
package enum CivilDate {
    // Years begin in March here: a leap day is their last.

    /// Days from 1970-01-01.
    package static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return 365 * year + year.floorDivided(by: 4) - year.floorDivided(by: 100) + year.floorDivided(by: 400)
            + dayOfYear
            - 719_468
    }

    /// The date so many days from 1970-01-01.
    package static func date(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let days = days + 719_468
        let era = days.floorDivided(by: 146_097)
        let dayOfEra = days - 146_097 * era
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * dayOfYear + 2) / 153
        let month = part < 10 ? part + 3 : part - 9
        return (400 * era + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * part + 2) / 5 + 1)
    }

    /// A number with so many digits at least.
    package static func digits(_ count: Int, _ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }

    // MARK: ISO 8601

    /// `2026-11-28T09:30:00Z`, with milliseconds if there are any; nil beyond the years 0 to 9999.
    ///
    /// - Parameter seconds: Since 1970, UTC.
    package static func text(ofSeconds seconds: Double) -> String? {
        guard seconds >= -62_167_219_200, seconds < 253_402_300_799.9995 else { return nil }
        let milliseconds = Int((seconds * 1_000).rounded())
        let days = milliseconds.floorDivided(by: 86_400_000)
        let rest = milliseconds - 86_400_000 * days
        let (year, month, day) = date(days)
        let fraction = rest % 1_000 == 0 ? "" : "." + digits(3, rest % 1_000)
        return "\(digits(4, year))-\(digits(2, month))-\(digits(2, day))T\(digits(2, rest / 3_600_000)):"
            + "\(digits(2, rest / 60_000 % 60)):\(digits(2, rest / 1_000 % 60))\(fraction)Z"
    }

    /// Of `2026-11-28T09:30:00.250+01:00`, and of the shorter forms that browsers send: without an offset it is UTC, seconds
    /// and time may be missing. Nil for anything else.
    ///
    /// - Returns: Seconds since 1970, UTC.
    package static func seconds(ofText text: String) -> Double? {
        var rest = Substring(text)
        guard let year = rest.takeNumber(4), rest.take("-"), let month = rest.takeNumber(2), rest.take("-"),
            let day = rest.takeNumber(2), (1...12).contains(month), day >= 1
        else { return nil }
        let days = days(year, month, day)
        // There is no 30 February.
        guard date(days) == (year, month, day) else { return nil }
        var seconds = Double(86_400 * days)
        guard !rest.isEmpty else { return seconds }
        guard rest.take("T") || rest.take("t") || rest.take(" "), let hour = rest.takeNumber(2), rest.take(":"),
            let minute = rest.takeNumber(2), hour < 24, minute < 60
        else { return nil }
        seconds += Double(3_600 * hour + 60 * minute)
        if rest.take(":") {
            guard let second = rest.takeNumber(2), second <= 60 else { return nil }
            seconds += Double(second)
            if rest.take(".") || rest.take(",") {
                let digits = rest.prefix { ("0"..."9").contains($0) }
                guard !digits.isEmpty, digits.utf8.count <= 18, let fraction = Double("0." + digits) else { return nil }
                seconds += fraction
                rest = rest.dropFirst(digits.count)
            }
        }
        if rest.isEmpty || rest == "Z" || rest == "z" { return seconds }
        let isWest = rest.take("-")
        guard isWest || rest.take("+"), let hours = rest.takeNumber(2), hours < 24 else { return nil }
        _ = rest.take(":")
        let minutes = rest.isEmpty ? 0 : rest.takeNumber(2)
        guard let minutes, minutes < 60, rest.isEmpty else { return nil }
        let offset = Double(3_600 * hours + 60 * minutes)
        return isWest ? seconds + offset : seconds - offset
    }
}

extension Substring {
    fileprivate mutating func take(_ character: Character) -> Bool {
        guard first == character else { return false }
        removeFirst()
        return true
    }

    /// A number of exactly so many digits.
    fileprivate mutating func takeNumber(_ count: Int) -> Int? {
        let digits = prefix(count)
        guard digits.utf8.count == count, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        self = dropFirst(count)
        return Int(digits)
    }
}

extension Int {
    /// Towards minus infinity.
    package func floorDivided(by divisor: Int) -> Int {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
