import Foundation
import Glibc

/// A certificate authority that nobody else trusts, made by `openssl` in a temporary folder; it issues certificates.
///
/// The files go with this object and the last ``TLSIdentity`` of it. Safe from any thread.
public final class TLSAuthority: Sendable {
    /// The path of its certificate, PEM.
    public let certificate: String
    let folder: TemporaryFolder
    private let key: String

    public init() throws {
        folder = try TemporaryFolder()
        (certificate, key) = (folder.file("ca.crt"), folder.file("ca.key"))
        try Self.openssl(
            [
                "req", "-x509", "-subj", "/CN=Test authority", "-days", "1", "-out", certificate,
                "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            ] + Self.newKey(key))
    }

    /// A certificate for a server or a client.
    ///
    /// - Parameters:
    ///   - hosts: Names and addresses that it is good for; none is right for a client.
    ///   - days: How long it is good; a negative number makes one that has expired.
    public func issue(_ hosts: String..., days: Int = 1) throws -> TLSIdentity {
        let name = "issued-\(UInt64.random(in: 0...UInt64.max))"
        let (certificate, key) = (folder.file(name + ".crt"), folder.file(name + ".key"))
        let (request, extensions) = (folder.file(name + ".csr"), folder.file(name + ".ext"))
        try Self.openssl(["req", "-new", "-subj", "/CN=\(name)", "-out", request] + Self.newKey(key))
        let names = hosts.map { host in
            let isAddress =
                host.contains(":") || host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
            return (isAddress ? "IP:" : "DNS:") + host
        }
        let text =
            "basicConstraints=CA:FALSE\n"
            + (names.isEmpty ? "" : "subjectAltName=\(names.joined(separator: ","))\n")
        try text.write(toFile: extensions, atomically: true, encoding: .utf8)
        try Self.openssl([
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-set_serial",
            String(UInt32.random(in: 1...UInt32.max)), "-days", String(days), "-extfile", extensions, "-out",
            certificate,
        ])
        return TLSIdentity(certificate: certificate, key: key, authority: self.certificate, issuer: self)
    }

    private static func newKey(_ path: String) -> [String] {
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path]
    }

    private static func openssl(_ arguments: [String]) throws {
        let result = try ChildProcess.run("openssl", arguments)
        guard result.code == 0 else { throw TestFailure(description: "openssl \(arguments[0]): \(result.output)") }
    }
}

/// A certificate with its key, as the files that a server or client is pointed to, PEM.
public struct TLSIdentity: Sendable {
    public let certificate: String
    public let key: String
    /// The certificate of the authority that issued it.
    public let authority: String
    /// Keeps the files.
    let issuer: TLSAuthority
}
