internal import Glibc

/// What a run prints: a figure a line, for the script that makes the table.
enum Report {
    static func line(_ name: String, _ value: Double) {
        let tenths = (value * 100).rounded() / 100
        print(name, tenths)
        fflush(nil)
    }
}
