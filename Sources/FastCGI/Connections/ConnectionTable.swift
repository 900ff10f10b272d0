internal import GalletaPlatform
internal import Glibc

/// All connections of a server, in slots that are reused.
///
/// An epoll event names a slot and the generation it was armed for, so an event that comes late, after the descriptor's
/// number was given to another connection, is recognised and dropped.
///
/// Invariants, each kept under the slot's lock:
/// - `fd` is open from `open` to `free`, and closed by whoever calls the latter;
/// - the worker that claimed a connection is the only one to read, write or close it, until it parks it;
/// - others may only `shutdown` it: while a handler runs, or in the moment before it is called to an idle one.
final class ConnectionTable: @unchecked Sendable {
    struct Slot {
        fileprivate var mutex = pthread_mutex_t()
        private(set) var fd: Int32 = -1
        var state = ConnectionState()

        /// Takes a fresh connection, held by the caller, or one that another process has served.
        mutating func open(_ fd: Int32, hasServed: Bool = false) {
            self.fd = fd
            state.open(hasServed: hasServed)
        }

        /// Forgets the connection.
        mutating func free() {
            fd = -1
            state.free()
        }
    }

    // Safe: allocated once, never moved; every access to a slot's content holds the slot's mutex.
    private let slots: UnsafeMutablePointer<Slot>
    let capacity: Int

    private struct Directory {
        /// Free slots, the lowest index last, so that scans stay short.
        var free: [UInt32]
        var open = 0
        var highest = 0
    }

    private let directory: Locked<Directory>

    init(capacity: Int) {
        self.capacity = capacity
        slots = .allocate(capacity: capacity)
        for index in 0..<capacity {
            (slots + index).initialize(to: Slot())
            pthread_mutex_init(&slots[index].mutex, nil)
        }
        directory = Locked(Directory(free: (0..<UInt32(capacity)).reversed()))
    }

    deinit {
        for index in 0..<capacity {
            if slots[index].fd >= 0 { close(slots[index].fd) }
            pthread_mutex_destroy(&slots[index].mutex)
        }
        slots.deinitialize(count: capacity)
        slots.deallocate()
    }

    /// Connections that are open.
    var openCount: Int { directory.withLock { $0.open } }

    /// One past the highest slot ever used: where scans may end.
    var scanLimit: Int { directory.withLock { $0.highest } }

    @inline(__always)
    func withSlot<Result>(_ index: Int, _ body: (inout Slot) -> Result) -> Result {
        let slot = slots + index
        pthread_mutex_lock(&slot.pointee.mutex)
        defer { pthread_mutex_unlock(&slot.pointee.mutex) }
        return body(&slot.pointee)
    }

    /// Reserves a slot, or nil if all are taken.
    func reserve() -> Int? {
        directory.withLock { directory in
            guard let index = directory.free.popLast() else { return nil }
            directory.open += 1
            directory.highest = max(directory.highest, Int(index) + 1)
            return Int(index)
        }
    }

    /// Gives back a slot without a connection.
    func release(_ index: Int) {
        directory.withLock { directory in
            directory.free.append(UInt32(index))
            directory.open -= 1
        }
    }
}
