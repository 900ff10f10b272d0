public struct FormLimits: Sendable { public init() {} }
public struct FormFields: Sendable {
    public init() {}
    init(urlEncoded: [UInt8], limits: FormLimits) throws {}
}
public struct Form: Sendable {
    static func parse(contentType: String?, limits: FormLimits, source: (UnsafeMutableRawBufferPointer) throws -> Int)
        throws -> Form
    { Form() }
}
