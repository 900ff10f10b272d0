public import struct GalletaPlatform.ByteString

/// The cookies that a client sent (RFC 6265, section 5.4), in its order: the first of a name is that of the longest path.
///
///     request.cookies["theme"] == "dark"
///
/// Values are as they were sent: nothing is percent-decoded, quotes stay. They are the client's word, and a site's other
/// hosts can set them, too. Parsed anew at each use.
///
/// Threading: usable from any thread.
public struct Cookies: Sendable, Sequence {
    let context: RequestContext

    /// The value of the first cookie of this name, byte for byte; nil when there is none.
    public subscript(_ name: ByteString) -> String? {
        var result: String?
        name.withUnsafeBytes { name in
            forEach { cookie, value in
                guard cookie.elementsEqual(name) else { return true }
                result = String(decoding: value, as: UTF8.self)
                return false
            }
        }
        return result
    }

    /// The values of all cookies of this name, in the client's order.
    public func all(_ name: ByteString) -> [String] {
        filter { $0.name == name }.map(\.value)
    }

    /// Every cookie, in the client's order.
    public func makeIterator() -> IndexingIterator<[(name: ByteString, value: String)]> {
        var cookies: [(name: ByteString, value: String)] = []
        forEach { name, value in
            cookies.append((ByteString(bytes: name), String(decoding: value, as: UTF8.self)))
            return true
        }
        return cookies.makeIterator()
    }

    /// Calls `body` with the pairs until it returns false. What has no `=` is no cookie.
    private func forEach(_ body: (Slice<UnsafeRawBufferPointer>, Slice<UnsafeRawBufferPointer>) -> Bool) {
        var goesOn = true
        let header: StaticString = "HTTP_COOKIE"
        header.withUTF8Buffer { header in
            context.parameters.forEachValue(of: UnsafeRawBufferPointer(header)) { bytes in
                var start = bytes.startIndex
                while goesOn, start < bytes.endIndex {
                    let end = bytes[start...].firstIndex(of: UInt8(ascii: ";")) ?? bytes.endIndex
                    let pair = bytes[start..<end]
                    if let equals = pair.firstIndex(of: UInt8(ascii: "=")) {
                        goesOn = body(pair[..<equals].trimmed, pair[equals...].dropFirst().trimmed)
                    }
                    start = end + 1
                }
            }
        }
    }
}

extension Slice<UnsafeRawBufferPointer> {
    /// Without the blanks and tabs around it.
    fileprivate var trimmed: Self {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var slice = drop(while: isBlank)
        while let last = slice.last, isBlank(last) { slice.removeLast() }
        return slice
    }
}
