internal import GalletaPlatform
internal import Glibc
internal import RESP
internal import RedisSessions

/// The lock of PHP's redis handler: a key whose value says whose it is, and that only its holder removes.
///
/// For one thread.
final class RedisLock {
    /// Removes the lock if it is still this one's. KEYS: the lock. ARGV: the holder.
    private static let releaseScript = RedisScript(
        """
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
        return 0
        """)

    let key: RedisArgument
    /// As the handler writes it, host and process, and what no other has.
    let holder: RedisArgument
    private let client: RedisClient
    private let onRelease: () -> Void
    private(set) var isHeld = false

    /// - Parameter onRelease: Called when it has been let go of.
    init(client: RedisClient, key: RedisArgument, onRelease: @escaping () -> Void) {
        self.client = client
        self.key = key
        self.onRelease = onRelease
        holder = .text("galleta|\(getpid())|\(UInt64.random(in: 0 ... .max))")
    }

    deinit {
        release()
    }

    /// Takes it, and reads under it in the same round trip.
    ///
    /// - Returns: What was read; nil when another has the lock.
    func take(for expiry: Duration, reading: [RedisCommand]) throws(PHPSessionStoreError) -> [RESPValue]? {
        do throws(RedisError) {
            let command = RedisCommand(
                "SET", [key, holder, "NX", "PX", .integer(expiry.milliseconds)], isRepeatable: false)
            let replies = try client.run([command] + reading)
            isHeld = replies[0].text == "OK"
            return isHeld ? Array(replies.dropFirst()) : nil
        } catch {
            // It may have been taken.
            isHeld = error.isOutcomeUnknown
            release()
            throw PHPSessionStoreError(error)
        }
    }

    /// Says what is wrong with a lock that nobody will ever let go of.
    func refuseEndless() throws(PHPSessionStoreError) {
        guard let left = try? client.run([RedisCommand("PTTL", [key], isRepeatable: true)])[0].integer, left == -1
        else {
            return
        }
        throw PHPSessionStoreError(
            code: .failed,
            reason: "a lock of PHP's has no expiry, and stays if its page was killed: set redis.session.lock_expire, "
                + "or max_execution_time, in PHP's settings, and delete the lock")
    }

    /// A script has removed it.
    func isGone() {
        isHeld = false
        onRelease()
    }

    func release() {
        guard isHeld else { return }
        isHeld = false
        // Where Redis does not answer it goes by its expiry.
        _ = try? client.run([
            RedisCommand(Self.releaseScript, keys: [key], arguments: [holder], isRepeatable: true)
        ])
        onRelease()
    }
}
