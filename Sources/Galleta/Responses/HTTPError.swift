public import FastCGI
public import HTTPTypes

/// An error that a handler throws to answer with a status of its choice.
///
/// Its message goes to the client; any other error tells the client nothing but its status.
public struct HTTPError: Error, HTTPStatusError, CustomStringConvertible {
    /// The status of the response.
    public let status: HTTPResponse.Status
    /// What the client is told beside the status; nil for the status alone.
    public let message: String?
    /// Further header fields.
    public let headers: ResponseHeaders

    /// - Parameters:
    ///   - status: The status of the response.
    ///   - message: What the client is told; nothing internal belongs here.
    ///   - headers: Further header fields.
    public init(_ status: HTTPResponse.Status, _ message: String? = nil, headers: ResponseHeaders = ResponseHeaders()) {
        self.status = status
        self.message = message
        self.headers = headers
    }

    /// Status and message.
    public var description: String {
        "\(status.code) \(status.reasonPhrase)" + (message.map { ": \($0)" } ?? "")
    }

    var response: Response {
        var response = Response.text(description + "\n", status: status)
        for field in headers.fields { response.headers.append(field.name, field.value) }
        return response
    }
}
