internal import GalletaPlatform

/// The bytes to and from a server, encrypted or not.
///
/// Threading: one thread at a time.
final class RedisStream {
    private let socket: RedisSocket
    private let tls: TLSSession?
    /// Encrypted bytes on their way in.
    private let encrypted: UnsafeMutableRawBufferPointer

    /// - Parameter tls: Its handshake is done here.
    init(_ socket: RedisSocket, tls: TLSSession?, by deadline: BootInstant) throws(RedisError) {
        self.socket = socket
        self.tls = tls
        encrypted = .allocate(byteCount: tls == nil ? 0 : 16_384, alignment: 16)
        guard let tls else { return }
        while true {
            let isDone: Bool
            do {
                isDone = try tls.shakeHands()
            } catch {
                // The alert tells the server why; nobody waits for it to arrive.
                var sent = 0
                try? socket.send(tls.takeOutput(), by: .now, sent: &sent)
                throw error
            }
            try flush(tls, by: deadline)
            if isDone { return }
            guard try fill(tls, by: deadline) else {
                throw RedisError(.connection, "the server has closed the connection during the TLS handshake")
            }
        }
    }

    deinit {
        encrypted.deallocate()
    }

    func close() {
        socket.close()
    }

    /// Whether the peer has neither sent anything nor closed.
    var isQuiet: Bool { tls?.isEmpty ?? true && socket.isQuiet }

    /// Sends all of it.
    ///
    /// - Parameter sent: Grows as soon as the peer may have got something.
    func send(_ bytes: [UInt8], by deadline: BootInstant, sent: inout Int) throws(RedisError) {
        guard let tls else { return try socket.send(bytes, by: deadline, sent: &sent) }
        try tls.write(bytes)
        try socket.send(tls.takeOutput(), by: deadline, sent: &sent)
    }

    /// Takes what has come, at least a byte; 0 at the end.
    func receive(into buffer: UnsafeMutableRawBufferPointer, by deadline: BootInstant) throws(RedisError) -> Int {
        guard let tls else { return try socket.receive(into: buffer, by: deadline) }
        while true {
            if let count = try tls.read(into: buffer) { return count }
            try flush(tls, by: deadline)
            guard try fill(tls, by: deadline) else { return 0 }
        }
    }

    private func flush(_ tls: TLSSession, by deadline: BootInstant) throws(RedisError) {
        var sent = 0
        try socket.send(tls.takeOutput(), by: deadline, sent: &sent)
    }

    /// False at the end.
    private func fill(_ tls: TLSSession, by deadline: BootInstant) throws(RedisError) -> Bool {
        let count = try socket.receive(into: encrypted, by: deadline)
        tls.feed(UnsafeRawBufferPointer(rebasing: encrypted[..<count]))
        return count > 0
    }
}
