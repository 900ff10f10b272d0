internal import CCrypt
internal import CPlatform
internal import GalletaPlatform
internal import Glibc

extension PasswordHash {
    /// Longest password that crypt(3) takes, in bytes.
    static let maxPasswordBytes = Int(CRYPT_MAX_PASSPHRASE_SIZE) - 1
    /// What bcrypt looks at of a password; the rest would be ignored.
    static let maxBcryptPasswordBytes = 72

    /// The password has this hash. Takes as long as the hash's kind and cost make it: milliseconds at least.
    ///
    /// False for a password over ``maxPasswordBytes``, for one with a NUL, which would end it for crypt(3), and for one of
    /// which bcrypt would look at a part only.
    /// Threading: any thread; the work area, which holds the password, is the call's own and erased after it.
    func matches(_ password: ByteString) -> Bool {
        let isWhole = !isBcrypt || password.count <= Self.maxBcryptPasswordBytes
        guard let hash = Self.crypt(password, text) else { return false }
        return ConstantTime.isEqual(hash.utf8, text.utf8) && isWhole
    }

    /// The hash of a password that the algorithm can take, with a salt of its own.
    static func make(_ password: ByteString, _ algorithm: PasswordAlgorithm) -> Result<PasswordHash, PasswordError> {
        do throws(PasswordError) {
            guard let text = Self.crypt(password, try algorithm.newSetting()) else {
                throw .failed("crypt(3) makes no hash: \(String(cString: strerror(errno)))")
            }
            return .success(try PasswordHash(text))
        } catch {
            return .failure(error)
        }
    }

    /// What crypt(3) makes of a password and a setting, which a hash is, too.
    private static func crypt(_ password: ByteString, _ setting: String) -> String? {
        guard password.count <= maxPasswordBytes else { return nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: maxPasswordBytes + 1) { phrase in
            defer { cplatform_zero(phrase.baseAddress, phrase.count) }
            phrase.initialize(repeating: 0)
            let hasNUL = password.withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(phrase).copyMemory(from: bytes)
                return bytes.contains(0)
            }
            return hasNUL ? nil : crypt(phrase.baseAddress!, setting)
        }
    }

    private static func crypt(_ phrase: UnsafePointer<CChar>, _ setting: String) -> String? {
        let work = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        memset(work, 0, MemoryLayout<crypt_data>.size)
        defer {
            cplatform_zero(work, MemoryLayout<crypt_data>.size)
            work.deallocate()
        }
        // A failure is nil or a text that begins with an asterisk, which no hash does.
        guard let result = crypt_r(phrase, setting, work), result.pointee != CChar(UInt8(ascii: "*")) else {
            return nil
        }
        return String(cString: result)
    }
}
