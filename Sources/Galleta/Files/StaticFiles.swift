internal import FastCGI
internal import GalletaPlatform
internal import HTTPTypes

/// The files below a folder, for whoever asks.
struct StaticFiles: Sendable {
    let folder: String
    let index: String?
    let cacheControl: String

    init(folder: String, index: String?, maxAge: Duration?) {
        self.folder = folder
        self.index = index
        cacheControl = maxAge.map { "public, max-age=\($0.components.seconds)" } ?? "no-cache"
    }

    /// - Parameter rest: The path below the route.
    func response(to request: Request, rest: String) throws -> Response {
        var segments = rest.split(separator: "/").map(String.init)
        // Hidden files are nobody's business (.git, .env), but for the one folder that is meant to be found (RFC 8615).
        guard segments.enumerated().allSatisfy({ !$1.hasPrefix(".") || ($0 == 0 && $1 == ".well-known") }) else {
            throw HTTPError(.notFound)
        }
        let isFolder = request.path.hasSuffix("/")
        if isFolder {
            guard let index else { throw HTTPError(.notFound) }
            segments.append(index)
        }
        do {
            let file = try Response.opening { () throws(ResponseError) in
                try ResponseFile(in: folder, segments: segments)
            }
            var response = try Response.file(file, for: request)
            response.headers[.cacheControl] = cacheControl
            return response
        } catch let error as HTTPError where error.status == .notFound && !isFolder && index != nil {
            // A folder's address without its slash: links on its page would lead elsewhere.
            guard (try? ResponseFile(in: folder, segments: segments + [index!])) != nil else { throw error }
            let path = PercentCoding.encode(request.path, keeping: "/-._~!$&'()*+,;=:@")
            return try .redirect(to: request.mount + path + "/", status: .movedPermanently)
        }
    }
}
