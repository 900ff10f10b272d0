/// Why a test's client has no reply to give.
public struct TestClientError: Error, CustomStringConvertible {
    enum Code {
        case ended
        case timedOut(Duration)
        case cutShort(bytes: Int)
        case malformed(String)
        case notARedirect
        case redirectLoop(limit: Int)
        case foreignRedirect(String)
        case badLocation(String)
        case stuck(Int)
        case thread(Int32)
    }

    let code: Code
    /// What the request was, for the message.
    let request: String?
    /// What has come of the answer; nil when that was not even a header.
    public let reply: TestReply?
    /// What the library has logged of the request, a line each: of a stream that fails midway, its error.
    public let errors: [String]

    init(_ code: Code, of request: TestRequest? = nil, reply: TestReply? = nil, errors: [String] = []) {
        self.code = code
        self.request = request.map { "\($0.method.rawValue) \($0.target)" }
        self.reply = reply
        self.errors = errors
    }

    /// The time for the answer is over; what the handler does meanwhile goes on.
    public var isTimeout: Bool {
        if case .timedOut = code { true } else { false }
    }

    /// The answer ended before its end: what a stream's closure throws, and a handler past its deadline, end it so.
    public var isCutShort: Bool {
        if case .cutShort = code { true } else { false }
    }

    /// What has happened, to which request, and what the library has logged of it.
    public var description: String {
        var text = request.map { $0 + ": " } ?? ""
        text += what
        if !errors.isEmpty { text += "; the log says: " + errors.joined(separator: "; ") }
        return text
    }

    private var what: String {
        switch code {
        case .ended: "the client's `test` is over: send requests inside of it"
        case .timedOut(let time):
            "nothing has come for \(time): the handler waits for something; make the client's `timeout` longer if it may"
        case .cutShort(let bytes): "the answer was cut short after \(bytes) bytes of its body"
        case .malformed(let reason): "the answer cannot be read: \(reason)"
        case .notARedirect: "the reply is no redirect with a Location"
        case .redirectLoop(let limit): "it was redirected \(limit) times, and again"
        case .foreignRedirect(let target): "it is redirected to another site, \(target)"
        case .badLocation(let target): "its Location, \(target), is no path and no URL of http or https"
        case .stuck(let count): "\(count) handlers have not returned at the end of the test, and were left behind"
        case .thread(let code): "no thread can be started for it (errno \(code))"
        }
    }
}
