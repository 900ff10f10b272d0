public import FastCGI
public import Foundation
public import Galleta
public import GalletaPlatform

// `Galleta` does without Foundation, and so do programs that need none of it.

extension FormFields {
    /// The value of the first field of this name as a UUID.
    ///
    /// - Throws: `HTTPError` of status 400 that names the field when it was not sent, or is no UUID.
    public func require(_ name: ByteString, as type: UUID.Type) throws(HTTPError) -> UUID {
        guard let value = UUID(uuidString: try require(name)) else { throw Self.unfit(name) }
        return value
    }

    /// As ``require(_:as:)-(_,UUID.Type)``; nil when it was not sent, or is empty.
    public func value(_ name: ByteString, as type: UUID.Type) throws(HTTPError) -> UUID? {
        guard let text = self[name], !text.isEmpty else { return nil }
        guard let value = UUID(uuidString: text) else { throw Self.unfit(name) }
        return value
    }

    /// The value of the first field of this name as a date: ISO 8601, as `<input type="date">` and `datetime-local` send it,
    /// UTC where it has no offset.
    ///
    /// - Throws: `HTTPError` of status 400 that names the field when it was not sent, or is no date.
    public func require(_ name: ByteString, as type: Date.Type) throws(HTTPError) -> Date {
        guard let seconds = CivilDate.seconds(ofText: try require(name)) else { throw Self.unfit(name) }
        return Date(timeIntervalSince1970: seconds)
    }

    /// As ``require(_:as:)-(_,Date.Type)``; nil when it was not sent, or is empty.
    public func value(_ name: ByteString, as type: Date.Type) throws(HTTPError) -> Date? {
        guard let text = self[name], !text.isEmpty else { return nil }
        guard let seconds = CivilDate.seconds(ofText: text) else { throw Self.unfit(name) }
        return Date(timeIntervalSince1970: seconds)
    }
}

extension PathParameters {
    /// The segment that stood for `:name` as a UUID.
    ///
    /// - Throws: `HTTPError` of status 404 when it is none: there is no page at that address.
    public func require(_ name: ByteString, as type: UUID.Type) throws(HTTPError) -> UUID {
        guard let value = UUID(uuidString: try require(name)) else { throw HTTPError(.notFound) }
        return value
    }

    /// The segment that stood for `:name` as a date (ISO 8601).
    ///
    /// - Throws: `HTTPError` of status 404 when it is none: there is no page at that address.
    public func require(_ name: ByteString, as type: Date.Type) throws(HTTPError) -> Date {
        guard let seconds = CivilDate.seconds(ofText: try require(name)) else { throw HTTPError(.notFound) }
        return Date(timeIntervalSince1970: seconds)
    }
}
