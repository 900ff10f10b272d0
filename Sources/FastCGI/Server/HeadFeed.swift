internal import CPlatform
internal import Glibc

/// Hands libfcgi the head of a request that the worker has taken off the connection itself.
///
/// libfcgi reads from a descriptor, and goes on reading as long as it is asked: so it gets one of a file in memory that
/// holds this head and nothing else.
struct HeadFeed: ~Copyable {
    private var fd: Int32 = -1

    deinit {
        if fd >= 0 { close(fd) }
    }

    /// A descriptor at the beginning of the head, or nil when the system has none to give.
    ///
    /// It stays this object's. libfcgi closes it when it cannot read the request: then ``forget()`` is due.
    mutating func fill(_ head: HeadCheck.Head, _ bytes: UnsafeMutableRawBufferPointer) -> Int32? {
        if fd < 0 { fd = cplatform_memory_file() }
        guard fd >= 0, ftruncate(fd, 0) == 0, lseek(fd, 0, Int32(SEEK_SET)) == 0 else { return nil }
        let records = Self.records(head, UnsafeRawBufferPointer(bytes))
        let isWritten = records.withUnsafeBytes { pwrite(fd, $0.baseAddress!, $0.count, 0) == $0.count }
        return isWritten ? fd : nil
    }

    /// The head as records again: BEGIN_REQUEST and PARAMS, padded where libfcgi passes over it, behind content.
    ///
    /// - Parameter bytes: The bytes that were checked.
    static func records(_ head: HeadCheck.Head, _ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let parameters = bytes[head.parameters]
        var records: [UInt8] = []
        records.appendRecordHeader(RecordHeader.Kind.beginRequest, id: head.requestID, 8)
        records += [0, head.isAuthorizer ? 2 : 1, head.keepsConnection ? 1 : 0, 0, 0, 0, 0, 0]
        var offset = parameters.startIndex
        while offset < parameters.endIndex {
            let part = parameters[offset..<min(offset + RecordHeader.largestContent, parameters.endIndex)]
            records.appendRecordHeader(RecordHeader.Kind.params, id: head.requestID, part.count)
            records += part
            records.appendPadding(of: part.count)
            offset = part.endIndex
        }
        records.appendRecordHeader(RecordHeader.Kind.params, id: head.requestID, 0)
        return records
    }

    mutating func forget() {
        fd = -1
    }
}
