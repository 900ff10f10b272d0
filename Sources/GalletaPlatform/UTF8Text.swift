extension String {
    /// The text of bytes that are UTF-8 (RFC 3629); nil for others.
    ///
    /// `String(validating:as:)` looks up what it is generic over at each call, and takes four times as long for short texts.
    package init?(utf8 bytes: UnsafeRawBufferPointer) {
        guard let text = try? UTF8Span(validating: bytes.assumingMemoryBound(to: UInt8.self).span) else { return nil }
        self.init(copying: text)
    }

    /// As the form with a pointer.
    package init?(utf8 bytes: some Collection<UInt8>) {
        // Without a copy where they stand together.
        let text =
            bytes.withContiguousStorageIfAvailable { String(utf8: UnsafeRawBufferPointer($0)) }
            ?? Array(bytes).withUnsafeBytes { String(utf8: $0) }
        guard let text else { return nil }
        self = text
    }
}
