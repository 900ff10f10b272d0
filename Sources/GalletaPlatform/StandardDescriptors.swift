internal import Glibc

/// Descriptors 0, 1 and 2.
package enum StandardDescriptors {
    /// Fills with `/dev/null` what the parent has closed. Otherwise the next socket or file would get that number, and
    /// the log would be written into it.
    package static func fill() {
        while true {
            let fd = open("/dev/null", O_RDWR)
            if fd > 2 { close(fd) }
            guard (0...2).contains(fd) else { return }
        }
    }
}
