internal import Sessions

/// What `ClassicStore` knows its sessions by.
protocol ClassicID: Hashable, Sendable {
    /// The id that a cookie's value names.
    init(cookie: UnsafeRawBufferPointer)
}

extension String: ClassicID {
    init(cookie: UnsafeRawBufferPointer) {
        self.init(decoding: cookie, as: UTF8.self)
    }
}

extension SessionID: ClassicID {
    init(cookie: UnsafeRawBufferPointer) {
        self.init(encoded: cookie)!
    }
}
