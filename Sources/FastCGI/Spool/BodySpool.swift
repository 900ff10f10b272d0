/// A body on its way in: small ones in memory, larger ones in a file without a name.
///
/// Threading: written by the worker that holds the connection, then read by libfcgi, one at a time.
final class BodySpool: @unchecked Sendable {
    // Safe: `memory` belongs to this object from the first append to deinit.
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private(set) var disk: UnnamedFile?
    private let directory: String
    private(set) var count = 0

    /// Most bytes of one body that are held in memory.
    static let memoryThreshold = 64 << 10

    /// - Parameter directory: Where the file of a larger body goes.
    init(directory: String) {
        self.directory = directory
    }

    deinit {
        memory.deallocate()
    }

    /// What is held in memory; nothing once there is a file.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: memory[..<(disk == nil ? count : 0)])
    }

    /// - Throws: ``FormError`` when the file cannot be made or written: a full disk, no descriptor left.
    func append(_ more: UnsafeRawBufferPointer) throws(FormError) {
        if disk == nil, count + more.count > Self.memoryThreshold {
            let disk = try UnnamedFile(directory: directory)
            try disk.write(bytes, at: 0)
            self.disk = disk
        }
        if let disk {
            try disk.write(more, at: count)
        } else {
            reserve(count + more.count)
            UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: more)
        }
        count += more.count
    }

    /// Forgets what is there, and its file; the memory is kept for the next body.
    func removeAll() {
        disk = nil
        count = 0
    }

    private func reserve(_ wanted: Int) {
        guard wanted > memory.count else { return }
        let size = min(Self.memoryThreshold, max(wanted, 2 * memory.count, 4096))
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        larger.copyMemory(from: bytes)
        memory.deallocate()
        memory = larger
    }
}
