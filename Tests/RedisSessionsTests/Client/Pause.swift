import Glibc

/// Time that passes on purpose, for load to go on; never to wait for a state.
enum Pause {
    static func milliseconds(_ count: Int32) {
        poll(nil, 0, count)
    }
}
