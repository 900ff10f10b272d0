internal import FastCGI
internal import HTTPTypes

/// What a request asks of a file that the client may have already: conditions (RFC 9110, section 13) and a range (14).
struct FileConditions {
    let tag: String
    let modified: HTTPDate
    let length: Int

    init(_ file: ResponseFile) {
        // A change within one tick of the file system's clock that keeps the length is not seen.
        tag =
            "\"\(String(file.modificationTime, radix: 16)).\(String(file.modificationNanoseconds, radix: 16))"
            + "-\(String(file.length, radix: 16))\""
        // Files may have any time; HTTP has four digits for a year.
        modified = HTTPDate(seconds: min(max(file.modificationTime, 0), 253_402_300_799))
        length = file.length
    }

    enum Outcome: Equatable {
        case whole
        case part(Range<Int>)
        /// The client's copy is good: 304.
        case notModified
        /// The client wanted another one: 412.
        case failed
        /// The range begins behind the end: 416.
        case unsatisfiable
    }

    /// In the order of RFC 9110, section 13.2.2.
    func outcome(for request: Request) -> Outcome {
        let reads = request.method == .get || request.method == .head
        let matches = request.headers(.ifMatch)
        if !matches.isEmpty {
            guard Self.lists(matches, tag, isStrong: true) else { return .failed }
        } else if let date = request.header(.ifUnmodifiedSince).flatMap(HTTPDate.init), modified > date {
            return .failed
        }
        let others = request.headers(.ifNoneMatch)
        if !others.isEmpty {
            if Self.lists(others, tag, isStrong: false) { return reads ? .notModified : .failed }
        } else if reads, let date = request.header(.ifModifiedSince).flatMap(HTTPDate.init), modified <= date {
            return .notModified
        }
        // Only GET has ranges.
        guard request.method == .get, let range = request.header(.range), isUnchanged(request.header(.ifRange)) else {
            return .whole
        }
        return outcome(ofRange: range)
    }

    /// Of `If-Range`: a strong tag or the very date (section 13.1.5).
    private func isUnchanged(_ condition: String?) -> Bool {
        guard let condition else { return true }
        return condition.hasPrefix("\"") ? condition == tag : HTTPDate(condition) == modified
    }

    /// Several ranges at once, another unit and what is malformed are ignored, as a server may.
    private func outcome(ofRange header: String) -> Outcome {
        guard header.hasPrefix("bytes=") else { return .whole }
        let parts = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
            .map { $0.trimmedBlanks }
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return .whole
        }
        if parts[0].isEmpty {
            guard let count = Int(parts[1]) else { return .whole }
            guard count > 0, length > 0 else { return .unsatisfiable }
            return .part(max(0, length - count)..<length)
        }
        guard let first = Int(parts[0]) else { return .unsatisfiable }
        let last = parts[1].isEmpty ? .max : Int(parts[1]) ?? .max
        guard last >= first else { return .whole }
        guard first < length else { return .unsatisfiable }
        return .part(first..<min(last, length - 1) + 1)
    }

    /// Whether a list of entity tags has this one, or is `*`.
    private static func lists(_ headers: [String], _ tag: String, isStrong: Bool) -> Bool {
        for header in headers {
            if header.trimmedBlanks == "*" { return true }
            var rest = Substring(header)
            while !rest.isEmpty {
                rest = rest.drop { $0 == " " || $0 == "," || $0 == "\t" }
                let isWeak = rest.hasPrefix("W/")
                if isWeak { rest = rest.dropFirst(2) }
                guard rest.first == "\"", let end = rest.dropFirst().firstIndex(of: "\"") else { break }
                if rest[...end] == tag, !(isWeak && isStrong) { return true }
                rest = rest[rest.index(after: end)...]
            }
        }
        return false
    }
}

extension StringProtocol {
    /// Without the blanks and tabs around it.
    var trimmedBlanks: SubSequence {
        var text = self[...].drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
