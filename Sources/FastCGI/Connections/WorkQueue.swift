/// What waits for a worker beside the kernel's events, first in, first out.
struct WorkQueue {
    enum Work {
        /// A part of a task.
        case job(UnownedJob)
        /// A connection to be looked at.
        case event(UInt64)
    }

    private var items: [Work] = []
    private var first = 0

    mutating func append(_ work: Work) {
        items.append(work)
    }

    mutating func popFirst() -> Work? {
        guard first < items.count else { return nil }
        let work = items[first]
        first += 1
        if first == items.count {
            items.removeAll(keepingCapacity: items.count <= 1024)
            first = 0
        } else if first >= 1024, first * 2 >= items.count {
            items.removeFirst(first)
            first = 0
        }
        return work
    }
}
