internal import Glibc

/// The parameters of a request where libfcgi keeps them: "NAME=VALUE" each, in the order they were sent.
///
/// A view: it is valid until libfcgi lets go of the request. A look-up is a scan that stops at the first byte that differs,
/// as `FCGX_GetParam` does, which knows nothing of names that are no C strings, or that were sent twice.
struct ParameterList {
    // Safe: libfcgi's, nil at the end; each text ends with NUL.
    private let entries: UnsafePointer<UnsafeMutablePointer<CChar>?>?

    /// - Parameter entries: libfcgi's `envp`; its first entry is the role, which nobody sent.
    init(_ entries: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) {
        self.entries = entries.map { UnsafePointer($0 + 1) }
    }

    /// The value of the first parameter of this exact name.
    @inline(__always)
    func value(of name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        // A name that holds NUL or "=" was refused: none of these is it.
        guard var entry = entries, let base = name.baseAddress, name.count > 0, memchr(base, 0x3d, name.count) == nil
        else {
            return nil
        }
        let first = base.load(as: CChar.self)
        while let text = entry.pointee {
            if text.pointee == first, let value = Self.value(of: base, name.count, in: text) { return value }
            entry += 1
        }
        return nil
    }

    /// Calls `body` with the value of every parameter of this exact name, in order.
    func forEachValue(of name: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        guard var entry = entries, let base = name.baseAddress, name.count > 0 else { return }
        let first = base.load(as: CChar.self)
        while let text = entry.pointee {
            if text.pointee == first, let value = Self.value(of: base, name.count, in: text) { body(value) }
            entry += 1
        }
    }

    /// Calls `body` with each name and value.
    func forEach(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void) {
        guard var entry = entries else { return }
        while let text = entry.pointee {
            let length = strlen(text)
            let nameLength = memchr(text, 0x3d, length).map { UnsafeRawPointer($0) - UnsafeRawPointer(text) } ?? length
            let value = min(nameLength + 1, length)
            body(
                UnsafeRawBufferPointer(start: text, count: nameLength),
                UnsafeRawBufferPointer(start: text + value, count: length - value))
            entry += 1
        }
    }

    private static func value(
        of name: UnsafeRawPointer, _ count: Int, in text: UnsafeMutablePointer<CChar>
    ) -> UnsafeRawBufferPointer? {
        // Ends at the text's NUL at the latest: a name holds none.
        guard strncmp(text, name.assumingMemoryBound(to: CChar.self), count) == 0, text[count] == 0x3d else {
            return nil
        }
        let value = text + count + 1
        return UnsafeRawBufferPointer(start: value, count: strlen(value))
    }
}
