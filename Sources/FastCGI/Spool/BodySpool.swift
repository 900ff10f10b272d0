/// A body on its way in: small ones in memory, larger ones in a file without a name.
///
/// Threading: written by the worker that holds the connection, then read by libfcgi, one at a time.
final class BodySpool: @unchecked Sendable {
    // Safe: `memory` belongs to this object from the first append to deinit.
    /// The body, or what of it has not been written to the file.
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var held = 0
    private(set) var disk: UnnamedFile?
    private let directory: String
    private(set) var count = 0

    /// Most bytes of one body that are held in memory.
    static let memoryThreshold = 64 << 10
    /// What is written to the file, and read from it, at a time: whole pages, for half the price of what happens to come.
    private static let blockSize = 128 << 10

    /// - Parameter directory: Where the file of a larger body goes.
    init(directory: String) {
        self.directory = directory
    }

    deinit {
        memory.deallocate()
    }

    /// What is held in memory; nothing once all is in a file.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<held]) }

    /// - Throws: ``FormError`` when the file cannot be made or written: a full disk, no descriptor left.
    func append(_ more: UnsafeRawBufferPointer) throws(FormError) {
        if disk == nil, count + more.count > Self.memoryThreshold {
            disk = try UnnamedFile(directory: directory)
            reserve(Self.blockSize)
        }
        guard let disk else {
            reserve(count + more.count)
            hold(more)
            return
        }
        var rest = more
        while rest.count > 0 {
            let part = min(rest.count, Self.blockSize - held)
            hold(UnsafeRawBufferPointer(rebasing: rest[..<part]))
            rest = UnsafeRawBufferPointer(rebasing: rest[part...])
            if held == Self.blockSize { try write(to: disk) }
        }
    }

    /// Brings the rest of a large body to its file.
    ///
    /// - Returns: Memory to read it through, as long as the spool is not changed; nothing where the body is in memory.
    /// - Throws: ``FormError``, as ``append(_:)``.
    func finish() throws(FormError) -> UnsafeMutableRawBufferPointer {
        guard let disk else { return UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        try write(to: disk)
        return memory
    }

    /// Forgets what is there, and its file; the memory of a small body is kept for the next one.
    func removeAll() {
        if disk != nil {
            disk = nil
            memory.deallocate()
            memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
        held = 0
        count = 0
    }

    private func hold(_ more: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: memory[held...]).copyMemory(from: more)
        held += more.count
        count += more.count
    }

    private func write(to disk: UnnamedFile) throws(FormError) {
        try disk.write(bytes, at: count - held)
        held = 0
    }

    private func reserve(_ wanted: Int) {
        guard wanted > memory.count else { return }
        let size =
            wanted > Self.memoryThreshold ? wanted : min(Self.memoryThreshold, max(wanted, 2 * memory.count, 4096))
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
        larger.copyMemory(from: bytes)
        memory.deallocate()
        memory = larger
    }
}
