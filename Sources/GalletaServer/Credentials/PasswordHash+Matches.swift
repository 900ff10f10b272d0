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
    /// False for a password over ``maxPasswordBytes``, and for one with a NUL, which would end it for crypt(3).
    /// Threading: any thread; the work area, which holds the password, is the call's own and erased after it.
    func matches(_ password: ByteString) -> Bool {
        guard password.count <= Self.maxPasswordBytes else { return false }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.maxPasswordBytes + 1) { phrase in
            defer { cplatform_zero(phrase.baseAddress, phrase.count) }
            phrase.initialize(repeating: 0)
            let hasNUL = password.withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(phrase).copyMemory(from: bytes)
                return bytes.contains(0)
            }
            return !hasNUL && matches(phrase.baseAddress!)
        }
    }

    private func matches(_ phrase: UnsafePointer<CChar>) -> Bool {
        let work = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        memset(work, 0, MemoryLayout<crypt_data>.size)
        defer {
            cplatform_zero(work, MemoryLayout<crypt_data>.size)
            work.deallocate()
        }
        // A failure is nil or a text that begins with an asterisk, which no hash does.
        guard let result = crypt_r(phrase, text, work) else { return false }
        let hash = UnsafeRawBufferPointer(start: result, count: strlen(result))
        return ConstantTime.isEqual(hash, text.utf8)
    }
}
