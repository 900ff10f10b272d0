internal import Glibc

/// Descriptor 2, in whole lines.
enum StandardError {
    /// Writes text with one call as a rule, so that lines of several threads do not mix.
    static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var offset = 0
            while offset < bytes.count {
                let count = Glibc.write(2, bytes.baseAddress! + offset, bytes.count - offset)
                if count < 0, errno == EINTR { continue }
                // Nobody to tell: a closed log must not stop the server.
                guard count > 0 else { return }
                offset += count
            }
        }
    }
}
