import Foundation

/// A file system of 64 KiB in memory, for those who may mount one.
final class SmallDisk {
    static let canBeMade = SmallDisk() != nil

    let path: String

    init?() {
        path = NSTemporaryDirectory() + "/galleta-small-disk-\(UUID().uuidString)"
        guard mkdir(path, 0o700) == 0 else { return nil }
        guard mount("tmpfs", path, "tmpfs", 0, "size=64k") == 0 else {
            rmdir(path)
            return nil
        }
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
        rmdir(path)
    }
}
