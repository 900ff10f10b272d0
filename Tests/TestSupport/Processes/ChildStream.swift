public import Foundation

/// Two ends of a stream, one for a child of Foundation's `Process`.
///
/// No other child inherits them. Foundation's own pipes stay open in whatever another test starts at that moment, and their end
/// is never seen as long as that lives.
public struct ChildStream {
    public let own: FileHandle
    /// To be closed once the child has been started.
    public let child: FileHandle

    public init() throws {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw TestFailure(description: "no pair of sockets") }
        own = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        child = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
    }
}
