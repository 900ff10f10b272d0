/// PHP's setting `session.save_path` for files: `[depth;[mode;]]folder`.
///
/// With a depth sessions lie in folders inside each other, named by the first characters of their ids. PHP makes none of
/// them. The mode is octal, 0600 by default.
struct SavePath: Hashable, Sendable {
    let folder: String
    let depth: Int
    let mode: UInt32

    /// - Returns: nil for what PHP would not take.
    init?(_ text: String) {
        let parts = text.split(separator: ";", maxSplits: 2, omittingEmptySubsequences: false)
        guard let folder = parts.last, !folder.isEmpty, !folder.utf8.contains(0) else { return nil }
        self.folder = String(folder)
        guard parts.count > 1 else {
            (depth, mode) = (0, 0o600)
            return
        }
        guard let depth = Int(parts[0]), 0...128 ~= depth else { return nil }
        self.depth = depth
        guard parts.count > 2 else {
            mode = 0o600
            return
        }
        guard let mode = UInt32(parts[1], radix: 8), mode <= 0o7777 else { return nil }
        self.mode = mode
    }

    /// The file of a session; nil for an id that is too short for the depth, or too long for a file's name.
    func file(of id: PHPSessionID) -> String? {
        guard id.text.utf8.count > depth, id.text.utf8.count <= 250 else { return nil }
        let folders = id.text.prefix(depth).map { "/\($0)" }.joined()
        return "\(folder)\(folders)/sess_\(id.text)"
    }
}
