internal import CPlatform

/// A datagram that carries descriptors to another process (unix(7), SCM_RIGHTS).
package enum DescriptorMessage {
    /// Sends one; waits at most 5 s for room.
    ///
    /// - Parameters:
    ///   - descriptors: At most 253; they stay the caller's, too.
    ///   - name: The socket's, as sun_path has it.
    /// - Returns: Whether it was sent.
    package static func send(_ text: String, with descriptors: [Int32], to name: [UInt8]) -> Bool {
        let text = Array(text.utf8)
        return cplatform_send_descriptors(name, name.count, text, text.count, descriptors, descriptors.count) == 0
    }
}
