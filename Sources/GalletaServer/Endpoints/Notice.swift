internal import Galleta

/// The message that an action leaves for the page after it.
enum Notice {
    private static let key: ByteString = "notice"

    static func leave(_ text: String, in session: Session) throws {
        try session.setFlash(key, text)
    }

    static func take(from session: Session) throws -> String? {
        try session.popFlash(key, as: String.self)
    }
}
