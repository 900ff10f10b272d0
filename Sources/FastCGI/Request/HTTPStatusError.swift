public import HTTPTypes

/// An error that knows which HTTP status answers it.
///
/// The server answers any other error with 500. The client is told the status and nothing else; the log gets the error's
/// description.
public protocol HTTPStatusError: Error {
    /// The status of the response.
    var status: HTTPResponse.Status { get }
}
