/// A body on its way in: small ones in memory, larger ones in a file without a name.
struct BodySpool {
    private var memory: [UInt8] = []
    private var disk: UnnamedFile?
    private let directory: String
    private(set) var count = 0
    private var position = 0

    /// Most bytes of one body that are held in memory.
    static let memoryThreshold = 64 << 10

    /// - Parameter directory: Where the file of a larger body goes.
    init(directory: String) {
        self.directory = directory
    }

    /// - Throws: ``FormError`` when the file cannot be made or written: a full disk, no descriptor left.
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(FormError) {
        if disk == nil, count + bytes.count > Self.memoryThreshold {
            let disk = try UnnamedFile(directory: directory)
            try memory.withUnsafeBufferPointer { memory throws(FormError) in
                try disk.write(UnsafeRawBufferPointer(memory), at: 0)
            }
            memory = []
            self.disk = disk
        }
        if let disk {
            try disk.write(bytes, at: count)
        } else {
            memory.append(contentsOf: bytes)
        }
        count += bytes.count
    }

    /// Forgets what is there, and its file.
    mutating func removeAll() {
        self = BodySpool(directory: directory)
    }

    /// Reads on from where the last read ended; 0 at the end.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(FormError) -> Int {
        let wanted = min(buffer.count, count - position)
        guard wanted > 0 else { return 0 }
        let got: Int
        if let disk {
            got = try disk.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: position)
        } else {
            memory.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[position..<position + wanted])) }
            got = wanted
        }
        position += got
        return got
    }
}
