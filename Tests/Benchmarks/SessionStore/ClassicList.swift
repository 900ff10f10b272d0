/// The doubly linked list of `ClassicStore`, the session last seen first.
struct ClassicList<ID: Hashable> {
    private var first: ClassicSession<ID>?
    private(set) var last: ClassicSession<ID>?

    mutating func pushBack(_ session: ClassicSession<ID>) {
        session.previous = last
        if let last { last.next = session } else { first = session }
        last = session
    }

    mutating func remove(_ session: ClassicSession<ID>) {
        let next = session.next
        let previous = session.previous
        if let next { next.previous = previous } else { last = previous }
        if let previous { previous.next = next } else { first = next }
        session.next = nil
        session.previous = nil
    }

    mutating func moveToFront(_ session: ClassicSession<ID>) {
        guard first !== session else { return }
        remove(session)
        session.next = first
        first?.previous = session
        first = session
    }
}
