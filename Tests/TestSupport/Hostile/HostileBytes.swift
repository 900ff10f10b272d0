/// Bytes that no web server sends, and why a server has to refuse them.
public struct HostileBytes: CustomStringConvertible, Sendable {
    public let description: String
    public let bytes: [UInt8]
    /// The name of the refusal.
    public let reason: String

    /// The refusals, as the check calls them.
    enum Reason {
        case version, begin, role, foreignID, recordType, tooLarge, tooMany, pairLength, pairName, pairValue
        case pipelined, body, aborted, management
    }

    init(_ description: String, _ reason: Reason, _ bytes: [UInt8]) {
        self.description = description
        self.bytes = bytes
        self.reason = "\(reason)"
    }
}
