internal import GalletaPlatform

extension PHPValue {
    /// Reads the text of PHP's `serialize()`.
    ///
    /// - Parameters:
    ///   - bytes: All of the text.
    ///   - limits: What it may cost at most.
    /// - Throws: When it is not the text of one value, exceeds a limit, or has more than 512 arrays and objects inside
    ///   each other.
    public init(serialized bytes: [UInt8], limits: PHPLimits = PHPLimits()) throws(PHPSerializationError) {
        self = try PHPDocument(bytes, format: .serialize, limits: limits).root()
    }

    /// The text that PHP's `serialize()` writes for it.
    ///
    /// - Throws: When PHP would not read it again: a key given twice, numbers of nothing, a class without a name.
    public func serialized() throws(PHPSerializationError) -> [UInt8] {
        var writer = ValueWriter(bytes: [])
        try writer.write(self)
        _ = try PHPDocument(writer.bytes, format: .serialize, limits: PHPLimits().unbounded)
        return writer.bytes
    }

    /// The document whose text this string is, as frameworks put one into a session: its references have numbers of
    /// their own. Write it back with ``PHPDocument/encoded()`` as a string.
    ///
    /// - Throws: When this is no string, or not the text of one value.
    public func nestedDocument(limits: PHPLimits = PHPLimits()) throws(PHPSerializationError) -> PHPDocument {
        guard let bytes else { throw .refused(.value, "a value that is no string holds no document") }
        return try PHPDocument(bytes, format: .serialize, limits: limits)
    }
}
