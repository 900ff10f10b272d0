/// What a provider's ids look like, and how a new one is drawn.
///
///     let format = SessionIDFormat(parse: { SessionID(foreign: $0) }, draw: { SessionID(foreign: drawnAsPHPDoes())! })
public struct SessionIDFormat: Sendable {
    /// Makes an id of a cookie's value; nil for what is none.
    let parse: (@Sendable (UnsafeRawBufferPointer) -> SessionID?)?
    /// Of several cookies of the name the first counts alone, though it be none of an id's form, as PHP has it. Default: false,
    /// the first that leads to a live session counts.
    public var takesFirstCookieOnly = false
    private let drawing: @Sendable () -> SessionID

    private init(
        parse: (@Sendable (UnsafeRawBufferPointer) -> SessionID?)?, drawing: @escaping @Sendable () -> SessionID
    ) {
        self.parse = parse
        self.drawing = drawing
    }

    /// 256 random bits, in base64url: the form to choose where no other program has a say.
    public static let random = SessionIDFormat(parse: nil, drawing: SessionID.random)

    /// A form of your own, for sessions that another program has, too.
    ///
    /// - Parameters:
    ///   - parse: Makes an id of a cookie's value, as it came; nil for what is none. Called for each cookie of the name, on
    ///     many threads: be strict and quick.
    ///   - draw: Draws an id that nobody can guess, at least 128 random bits.
    public init(
        parse: @escaping @Sendable (_ cookieValue: UnsafeRawBufferPointer) -> SessionID?,
        draw: @escaping @Sendable () -> SessionID
    ) {
        self.init(parse: parse, drawing: draw)
    }

    /// A new id.
    public func draw() -> SessionID { drawing() }
}
