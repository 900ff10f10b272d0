internal import CCrypto
internal import RESP

/// A Lua script that servers keep under its SHA-1, so that it need not be sent each time.
///
/// Make each once, as a `static let`.
package struct RedisScript: Sendable {
    package let source: String
    /// The SHA-1 of the source in lower-case hexadecimal digits.
    package let digest: String
    /// `EVALSHA` with the digest, and `EVAL` with the source, each as encoded arguments.
    let evalsha: [UInt8]
    let eval: [UInt8]

    package init(_ source: String) {
        self.source = source
        var text = source
        let hash = text.withUTF8 { input in
            [UInt8](unsafeUninitializedCapacity: 20) { output, count in
                _ = SHA1(input.baseAddress, input.count, output.baseAddress)
                count = 20
            }
        }
        let digits = Array("0123456789abcdef".utf8)
        digest = String(decoding: hash.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
        var writer = RESPWriter()
        writer.bulk("EVALSHA")
        writer.bulk(digest)
        evalsha = writer.bytes
        writer = RESPWriter()
        writer.bulk("EVAL")
        writer.bulk(source)
        eval = writer.bytes
    }
}
