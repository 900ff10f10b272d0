internal import CCrypt
internal import CPlatform
internal import Glibc

extension PasswordHash {
    /// Longest password that crypt(3) takes, in bytes. Bcrypt itself looks at the first 72 only, as `htpasswd` does.
    static let maxPasswordBytes = Int(CRYPT_MAX_PASSPHRASE_SIZE) - 1

    /// The password has this hash. Takes as long as the hash's kind and cost make it: milliseconds at least.
    ///
    /// False for a password over ``maxPasswordBytes``, and for one with a NUL, which would end it for crypt(3).
    /// Threading: any thread; the work area, which holds the password, is the call's own and erased after it.
    func matches(_ password: String) -> Bool {
        guard password.utf8.count <= Self.maxPasswordBytes, !password.utf8.contains(0) else { return false }
        let work = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        memset(work, 0, MemoryLayout<crypt_data>.size)
        defer {
            cplatform_zero(work, MemoryLayout<crypt_data>.size)
            work.deallocate()
        }
        // A failure is nil or a text that begins with an asterisk, which no hash does.
        guard let result = crypt_r(password, text, work) else { return false }
        let hash = UnsafeRawBufferPointer(start: result, count: strlen(result))
        return ConstantTime.isEqual(hash, text.utf8)
    }
}
