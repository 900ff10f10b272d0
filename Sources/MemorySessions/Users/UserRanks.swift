internal import GalletaPlatform

/// The users who hold two sessions or more, by how many that is: who holds most is found at once.
///
/// Of several who hold equally many the one comes first who has held so many for the longest time.
struct UserRanks {
    /// No place.
    static let none = UInt32.max

    private struct Place {
        var user: ByteString
        var count: Int
        // Neighbours among those who hold as many.
        var earlier: UInt32
        var later: UInt32
    }

    private struct Level {
        var first = UserRanks.none
        var last = UserRanks.none
    }

    private static let leastCount = 2

    private var places: [Place] = []
    private var free: [UInt32] = []
    /// By the number of sessions, from two on; the last level is never empty.
    private var levels: [Level] = []

    /// The user who holds most; nil when nobody holds two.
    var first: ByteString? {
        levels.last.map { places[Int($0.first)].user }
    }

    /// Notes that a user holds `count` sessions now.
    ///
    /// - Parameter place: Where the user is here, `none` at first; the caller keeps it.
    mutating func change(_ user: ByteString, to count: Int, at place: inout UInt32) {
        if place != Self.none { unlink(place) }
        if count >= Self.leastCount {
            if place == Self.none { place = reserve(user) }
            link(place, count)
        } else if place != Self.none {
            release(place)
            place = Self.none
        }
        // Only now: users come and go one level at a time, so that one at most is empty.
        while levels.last.map({ $0.first == Self.none }) ?? false { levels.removeLast() }
        levels.shrink()
    }

    private mutating func reserve(_ user: ByteString) -> UInt32 {
        let new = Place(user: user, count: 0, earlier: Self.none, later: Self.none)
        if let number = free.popLast() {
            places[Int(number)] = new
            return number
        }
        places.append(new)
        return UInt32(places.count - 1)
    }

    private mutating func release(_ place: UInt32) {
        places[Int(place)].user = ""
        free.append(place)
        // The rest keeps its numbers, which others know.
        if free.count == places.count { (places, free) = ([], []) }
    }

    private mutating func link(_ place: UInt32, _ count: Int) {
        let level = count - Self.leastCount
        while levels.count <= level { levels.append(Level()) }
        let last = levels[level].last
        places[Int(place)].count = count
        places[Int(place)].earlier = last
        places[Int(place)].later = Self.none
        if last == Self.none { levels[level].first = place } else { places[Int(last)].later = place }
        levels[level].last = place
    }

    private mutating func unlink(_ place: UInt32) {
        let (earlier, later) = (places[Int(place)].earlier, places[Int(place)].later)
        let level = places[Int(place)].count - Self.leastCount
        if earlier == Self.none { levels[level].first = later } else { places[Int(earlier)].later = later }
        if later == Self.none { levels[level].last = earlier } else { places[Int(later)].earlier = earlier }
    }
}
