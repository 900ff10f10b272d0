internal import GalletaPlatform
internal import RESP
internal import RedisSessions

/// A session in Redis whose lock is held.
final class RedisRecord: PHPSessionRecord {
    /// Writes, touches or removes a session and lets its lock go, all at once. KEYS: the session, its lock.
    /// ARGV: the holder, the task, milliseconds to live, `1` for one that must not be there yet, what was read, what to write, `1`
    /// where the lock stays.
    /// A life that is longer, or without end, stays as others have set it. Gives `done`; `gone` without a session, `there` with one in the way, `lost` without the lock, `changed` by somebody who took none.
    private static let script = RedisScript(
        """
        local key, lock = KEYS[1], KEYS[2]
        if redis.call('GET', lock) ~= ARGV[1] then return 'lost' end
        local function ends(outcome)
          if ARGV[7] ~= '1' or outcome ~= 'done' then redis.call('DEL', lock) end
          return outcome
        end
        local now = redis.call('GET', key)
        if ARGV[4] == '1' then
          if now then return ends('there') end
        else
          if not now then return ends('gone') end
          if ARGV[2] ~= 'remove' and now ~= ARGV[5] then return ends('changed') end
        end
        local left = redis.call('PTTL', key)
        local life = math.max(left, tonumber(ARGV[3]))
        if ARGV[2] == 'remove' then
          redis.call('DEL', key)
        elseif ARGV[2] == 'touch' then
          if left >= 0 then redis.call('PEXPIRE', key, life) end
        elseif left == -1 then
          redis.call('SET', key, ARGV[6])
        else
          redis.call('SET', key, ARGV[6], 'PX', life)
        end
        return ends('done')
        """)

    private(set) var bytes: [UInt8]
    private(set) var lastUse: Duration
    private let store: RedisStore
    private let id: PHPSessionID
    private let lock: RedisLock
    /// Made here, and not there yet.
    private var isNew: Bool

    init(store: RedisStore, id: PHPSessionID, lock: RedisLock, _ content: PHPSessionContent, isNew: Bool) {
        self.store = store
        self.id = id
        self.lock = lock
        bytes = content.bytes
        lastUse = content.lastUse
        self.isNew = isNew
    }

    var isHeld: Bool { lock.isHeld }

    func write(_ new: [UInt8], lastUse: Duration?, keepsLock: Bool) throws(PHPSessionStoreError) -> Bool {
        let clock = store.configuration.clock
        let left = store.configuration.idleTimeout - (lastUse.map { clock.idle(since: $0) } ?? .zero)
        guard try perform("write", left: left, new, keepsLock: keepsLock) else { return false }
        (bytes, isNew) = (new, false)
        self.lastUse = lastUse ?? clock.now
        return true
    }

    func touch(keepsLock: Bool) throws(PHPSessionStoreError) -> Bool {
        guard try perform("touch", left: store.configuration.idleTimeout, keepsLock: keepsLock) else { return false }
        lastUse = store.configuration.clock.now
        return true
    }

    func remove() throws(PHPSessionStoreError) -> Bool { try perform("remove", left: .zero) }

    func release() {
        lock.release()
    }

    private func perform(
        _ task: RedisArgument, left: Duration, _ new: [UInt8] = [], keepsLock: Bool = false
    ) throws(PHPSessionStoreError) -> Bool {
        let command = RedisCommand(
            Self.script, keys: [store.key(id), lock.key],
            arguments: [
                lock.holder, task, .integer(max(1, left.milliseconds)), isNew ? 1 : 0, .bytes(bytes), .bytes(new),
                keepsLock ? 1 : 0,
            ], isRepeatable: false)
        // Whatever comes of it; where nothing is known the lock is let go of by its holder's name.
        let outcome = try store.run([command])[0].text
        if !keepsLock || outcome != "done" { lock.isGone() }
        switch outcome {
        case "done": return true
        case "gone": return false
        // Without the lock, which has expired, there may be changes that were not read: nothing was written in any of them.
        case "changed", "there", "lost": throw .changed
        default: throw PHPSessionStoreError(code: .failed, reason: "Redis gave an answer that nobody understands")
        }
    }
}
