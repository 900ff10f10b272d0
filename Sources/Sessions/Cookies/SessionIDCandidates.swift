internal import Glibc

/// The ids that a request's `Cookie` headers offer under our cookie's name: at most 32, the first without a heap
/// allocation.
///
/// A browser may send several cookies of one name (another path, another domain, dead ones of earlier visits), so each is
/// tried. What has not the form of an id is as if it were not there: neither an error nor an answer to it.
///
///     var candidates = SessionIDCandidates()
///     request.withCookieHeaders { manager.collectIDs(from: $0, into: &candidates) }
///     let session = manager.open(candidates, isSecure: request.isSecure)
public struct SessionIDCandidates: Sendable {
    /// The most ids that are tried for a request.
    public static let limit = 32

    private var first = SessionID(words: .zero)
    private var others: [SessionID] = []
    /// A cookie of the name was there.
    private var hasSeenFirst = false

    /// Whether the request, by its method, may change what there is: a provider of sessions that others lock may take their lock
    /// now, and keep it until the request ends. Default: false.
    public var mayChangeSession = false

    /// Tells when the request is over though its handler still runs; nil where nobody knows. Default: nil.
    public var end: RequestEnd?

    /// Whether a provider may have its caller wait until others let go of the session. Default: true.
    public var mayWait = true

    /// How many ids were found, 0...32.
    public private(set) var count = 0

    /// No ids.
    public init() {}

    /// One id, for callers that have it already.
    public init(_ id: SessionID) {
        append(id)
    }

    /// True when the request offers no id.
    public var isEmpty: Bool { count == 0 }

    /// The id at `position`, in the order of the headers.
    public subscript(position: Int) -> SessionID {
        precondition(position >= 0 && position < count)
        return position == 0 ? first : others[position - 1]
    }

    /// Adds the ids of one `Cookie` header's value. Call it once a header; several headers add up.
    ///
    /// Pairs are parted by `;` and by nothing else (RFC 6265, section 4.2.1): were a comma to part them, as in the lists of
    /// other header fields, then the value of a cookie that anyone may set could hold another cookie, whose name's prefix
    /// (`__Host-`) no browser has enforced. A quoted value is malformed. Cost: linear in the header's length.
    public mutating func collect(from header: UnsafeRawBufferPointer, named cookie: SessionCookie) {
        cookie.nameBytes.withUnsafeBytes { name in
            var start = name.count
            // Goes from "=" to "=" and looks at the surroundings: foreign cookies are passed over by `memchr`.
            while count < Self.limit, header.count - start > SessionID.encodedCount,
                let found = memchr(header.baseAddress! + start, 0x3D, header.count - start)
            {
                let equals = UnsafeRawPointer(found) - header.baseAddress!
                start = equals + 1
                if memcmp(header.baseAddress! + equals - name.count, name.baseAddress!, name.count) == 0 {
                    take(header, name: equals - name.count, value: start)
                }
            }
        }
    }

    /// As ``collect(from:named:)``, for ids of a form of somebody's own, which may have any length.
    ///
    /// - Parameter firstOnly: No other cookie of the name is looked at.
    mutating func collect(
        from header: UnsafeRawBufferPointer, named cookie: SessionCookie, firstOnly: Bool,
        _ parse: (UnsafeRawBufferPointer) -> SessionID?
    ) {
        for pair in header.split(separator: 0x3B) where count < Self.limit && !(firstOnly && hasSeenFirst) {
            let pair = pair.drop(while: Self.isBlank)
            guard let equals = pair.firstIndex(of: 0x3D), pair[..<equals].elementsEqual(cookie.nameBytes) else {
                continue
            }
            hasSeenFirst = true
            var value = pair[(equals + 1)...]
            while let last = value.last, Self.isBlank(last) { value.removeLast() }
            if let id = parse(UnsafeRawBufferPointer(rebasing: value)) { append(id) }
        }
    }

    /// Looks at what stands before the name at `name` and from `value` on.
    private mutating func take(_ header: UnsafeRawBufferPointer, name: Int, value: Int) {
        let end = value + SessionID.encodedCount
        var before = name - 1
        while before >= 0, Self.isBlank(header[before]) { before -= 1 }
        guard before < 0 || Self.isSeparator(header[before]), end <= header.count else { return }
        var after = end
        while after < header.count, Self.isBlank(header[after]) { after += 1 }
        guard after == header.count || Self.isSeparator(header[after]),
            let id = SessionID(encoded: UnsafeRawBufferPointer(rebasing: header[value..<end]))
        else { return }
        append(id)
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == 0x3B
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09
    }

    /// Adds an id, for callers that have it already; one that is there, or beyond the limit, is left out.
    public mutating func add(_ id: SessionID) {
        append(id)
    }

    private mutating func append(_ id: SessionID) {
        guard count < Self.limit else { return }
        for position in 0..<count where self[position] == id { return }
        if count == 0 { first = id } else { others.append(id) }
        count += 1
    }
}
