/// What the store does in one moment, as Lua that runs in Redis (`docs`: the article "Sessions on many machines").
///
/// A session is a hash: `m` is its metadata (``RedisMetadata``), `u` its user's digest and reference, every other field a
/// value (``RedisFields``). A replaced id is a hash with the one field `a` (``RedisAlias``). All times are milliseconds of
/// Redis's own clock. Keys are declared; those of one store have one hash tag.
///
/// The first write of what may grow is an `HSET`: at its memory limit Redis refuses it, and the script with it, before
/// anything is written. What only touches, shrinks or removes begins with a `PEXPIREAT` or `DEL`, which Redis never refuses
/// for that.
enum RedisScripts {
    private static let clock = """
        local t = redis.call('TIME')
        local now = t[1] * 1000 + math.floor(t[2] / 1000)

        """

    private static let metadata = """
        local form = '>I1I8I8I8I8I8c8I4I4'

        """

    /// What is under a key, and the time. KEYS: the key.
    static let lookUp = RedisScript(
        clock + """
            return {now, redis.call('HGETALL', KEYS[1])}
            """)

    /// As `lookUp`, of the metadata and the user only.
    static let peek = RedisScript(
        clock + """
            return {now, redis.call('HMGET', KEYS[1], 'm', 'u')}
            """)

    /// Both of these. KEYS: the key.
    static let read = RedisScript(
        clock + """
            return {now, redis.call('HMGET', KEYS[1], 'm', 'u'), redis.call('HGETALL', KEYS[1])}
            """)

    /// Looks before the first write whether the later ones are allowed: permissions may have been taken away since the start,
    /// and a script that ends half way leaves what it has written.
    private static let may = """
        local function may(key, ...)
          for _, command in ipairs({...}) do
            if not redis.acl_check_cmd(command, key, '0', '0') then
              error({err = "NOPERM this user has no permissions to run the '" .. command .. "' command"})
            end
          end
        end

        """

    /// Enters a session into its user's index, drops what has ended there, and lets the index end with its last session.
    private static let enter = """
        local function enter(index, member, deadline)
          redis.call('ZADD', index, deadline, member)
          redis.call('ZREMRANGEBYSCORE', index, '-inf', now)
          redis.call('PEXPIREAT', index, deadline, 'NX')
          redis.call('PEXPIREAT', index, deadline, 'GT')
        end

        """

    /// Begins a session. KEYS: the session, its user's index if it has a user.
    /// ARGV: nonce, idle, absolute, bytes, keys, user's digest and reference or two empty ones, the session's digest, then
    /// fields and values.
    static let create = RedisScript(
        clock + metadata + may + enter + """
            local k = KEYS[1]
            if redis.call('EXISTS', k) == 1 then
              local m = redis.call('HGET', k, 'm')
              if m and string.sub(m, 42, 49) == ARGV[1] then return {'created'} end
              return {'exists'}
            end
            local idle, absolute = tonumber(ARGV[2]), tonumber(ARGV[3])
            local m = struct.pack(form, 1, 0, now, now, idle, absolute, ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[5]))
            local fields = {'m', m}
            may(k, 'pexpireat')
            if ARGV[6] ~= '' then
              may(KEYS[2], 'zadd', 'zremrangebyscore')
              fields[3] = 'u'
              fields[4] = ARGV[7] .. ARGV[6]
            end
            redis.call('HSET', k, unpack(fields))
            for i = 9, #ARGV, 1000 do redis.call('HSET', k, unpack(ARGV, i, math.min(i + 999, #ARGV))) end
            redis.call('PEXPIREAT', k, now + math.min(idle, absolute))
            if ARGV[6] ~= '' then enter(KEYS[2], ARGV[7] .. ARGV[8], now + absolute) end
            return {'created'}
            """)

    /// The live session under `k`, or a return: an alias to follow, an unknown form, or nothing.
    private static let session = """
        local k = KEYS[1]
        local head = redis.call('HMGET', k, 'm', 'u', 'a')
        if not head[1] then
          if head[3] then return {'alias', now, head[3]} end
          return {'gone'}
        end
        if string.byte(head[1]) ~= 1 then return {'form', string.byte(head[1])} end
        if #head[1] ~= 57 then return {'gone'} end
        local _, version, created, seen, idle, absolute, nonce, bytes, keys = struct.unpack(form, head[1])
        if now >= math.min(seen + idle, created + absolute) then return {'gone'} end
        local user = head[2] and string.sub(head[2], 17) or ''
        local reference = head[2] and string.sub(head[2], 1, 16) or ''

        """

    /// Notes a visit. KEYS: the session.
    static let touch = RedisScript(
        clock + metadata + session + """
            local deadline = math.min(now + idle, created + absolute)
            redis.call('PEXPIREAT', k, deadline)
            redis.call('HSET', k, 'm', struct.pack(form, 1, version, created, now, idle, absolute, nonce, bytes, keys))
            return {'touched', deadline - now}
            """)

    /// Makes a patch's changes.
    ///
    /// KEYS: the session; the index of the user it has had, if the caller thinks it had one and that may change; the index of
    /// the user it gets. ARGV: nonce, expected version or '', '1' for a visit, limit of bytes, limit of keys, version of the
    /// caller's values or '', idle or '', absolute or '', '+' for a user, '-' for none any more or '', digest of the user it
    /// is thought to have had or '', digest of the new user, new reference, the session's digest, number of removals, their
    /// fields, then fields and values.
    static let commit = RedisScript(
        clock + metadata + may + enter + session + """
            local first = 15 + tonumber(ARGV[14])
            local changes = #ARGV >= 15
            local binding = ARGV[9]
            if nonce == ARGV[1] then return {'ok', version, now, redis.call('HGETALL', k)} end
            if ARGV[2] ~= '' and tonumber(ARGV[2]) ~= version then return {'conflict', now, redis.call('HGETALL', k)} end
            local lifetime = ARGV[7] ~= ''
            if (binding ~= '' or lifetime) and user ~= ARGV[10] then return {'user', user} end
            -- The values go back wherever others have changed some: beside the version of now no others may stand.
            local behind = ARGV[6] == '' or tonumber(ARGV[6]) ~= version
            local function done()
              if behind then return {'ok', version, now, redis.call('HGETALL', k)} end
              return {'ok', version}
            end
            if not changes and not lifetime and ARGV[3] ~= '1' then return done() end

            local function varint(n) return n < 128 and 1 or n < 16384 and 2 or n < 2097152 and 3 or n < 268435456 and 4 or 5 end
            local function size(field, length)
              local kind = string.byte(field)
              -- Encrypted: a nonce of 12 and a tag of 16 around the whole entry.
              if kind == 126 or kind == 94 then return length - 28 end
              return varint((#field - 1) * 2) + #field - 1 + varint(length) + length
            end
            local newBytes, newKeys, removed = bytes, keys, 0
            local function count(field, length)
              local old = redis.call('HSTRLEN', k, field)
              local kind = string.byte(field)
              local own = (kind == 61 or kind == 126) and 1 or 0
              if old > 0 then newBytes, newKeys, removed = newBytes - size(field, old), newKeys - own, removed + 1 end
              if length then newBytes, newKeys = newBytes + size(field, length), newKeys + own end
            end
            for i = 15, first - 1 do count(ARGV[i]) end
            for i = first, #ARGV, 2 do count(ARGV[i], #ARGV[i + 1]) end
            if (newBytes > tonumber(ARGV[4]) and newBytes > bytes) or (newKeys > tonumber(ARGV[5]) and newKeys > keys) then
              return {'over', newBytes, newKeys, bytes, keys}
            end
            local member = reference .. ARGV[13]
            local function remove()
              redis.call('DEL', k)
              if user ~= '' and ARGV[10] ~= '' then redis.call('ZREM', KEYS[2], member) end
            end
            -- With a field that is set it cannot be empty.
            if changes and first > #ARGV and redis.call('HLEN', k) - (head[2] and 2 or 1) == removed then
              remove()
              return {'emptied'}
            end
            if ARGV[3] == '1' then seen = now end
            if lifetime then idle, absolute = tonumber(ARGV[7]), tonumber(ARGV[8]) end
            local deadline = math.min(seen + idle, created + absolute)
            if now >= deadline then
              remove()
              return {'gone'}
            end
            if changes then version = version + 1 end
            local m = struct.pack(form, 1, version, created, seen, idle, absolute, ARGV[1], newBytes, newKeys)
            if first > 15 then may(k, 'hdel') end
            if behind then may(k, 'hgetall') end
            local grows = changes and (newBytes >= bytes or binding == '+')
            if not grows or ARGV[3] == '1' or lifetime then may(k, 'pexpireat') end
            if binding ~= '' or (lifetime and user ~= '') then may(KEYS[#KEYS], 'zrem', 'zadd', 'zremrangebyscore', 'pexpireat') end
            if not grows then redis.call('PEXPIREAT', k, deadline) end
            redis.call('HSET', k, 'm', m, unpack(ARGV, first, math.min(first + 999, #ARGV)))
            for i = first + 1000, #ARGV, 1000 do redis.call('HSET', k, unpack(ARGV, i, math.min(i + 999, #ARGV))) end
            for i = 15, first - 1, 1000 do redis.call('HDEL', k, unpack(ARGV, i, math.min(i + 999, first - 1))) end
            if grows and (ARGV[3] == '1' or lifetime) then redis.call('PEXPIREAT', k, deadline) end
            if binding ~= '' then
              if user ~= '' then redis.call('ZREM', KEYS[2], member) end
              if binding == '+' then
                redis.call('HSET', k, 'u', ARGV[12] .. ARGV[11])
                enter(KEYS[#KEYS], ARGV[12] .. ARGV[13], created + absolute)
              else
                redis.call('HDEL', k, 'u')
              end
            elseif lifetime and user ~= '' then
              enter(KEYS[2], member, created + absolute)
            end
            return done()
            """)

    /// Removes a session. KEYS: the session, its user's index if it is thought to have one. ARGV: the digest of the user it is
    /// thought to have or '', the session's digest. Tells of a user that it was not thought to have.
    static let destroy = RedisScript(
        clock + metadata + session + """
            redis.call('DEL', k)
            if user == '' then return {'destroyed'} end
            if user ~= ARGV[1] then return {'destroyed', user, reference} end
            redis.call('ZREM', KEYS[2], reference .. ARGV[2])
            return {'destroyed'}
            """)

    /// Gives a session another id.
    ///
    /// KEYS: the session, the key of the new id, the index of the user it is thought to have. ARGV: the sealed new id, grace,
    /// how long the old id is remembered, digest of the user it is thought to have or '', the session's digest, the new
    /// digest, the expected version or '', number of fields to remove, these, then fields and values in their place.
    static let rotate = RedisScript(
        clock + metadata + may + enter + """
            local a = redis.call('HGET', KEYS[1], 'a')
            if a and string.sub(a, 17) == ARGV[1] then return {'rotated'} end

            """ + session + """
                if redis.call('EXISTS', KEYS[2]) == 1 then return {'taken'} end
                if user ~= ARGV[4] then return {'user', user} end
                if ARGV[7] ~= '' and tonumber(ARGV[7]) ~= version then return {'conflict', now, redis.call('HGETALL', k)} end
                may(k, 'hset', 'hdel', 'pexpireat')
                if user ~= '' then may(KEYS[3], 'zrem', 'zadd', 'zremrangebyscore') end
                redis.call('RENAME', k, KEYS[2])
                local first = 9 + tonumber(ARGV[8])
                for i = first, #ARGV, 1000 do redis.call('HSET', KEYS[2], unpack(ARGV, i, math.min(i + 999, #ARGV))) end
                for i = 9, first - 1, 1000 do redis.call('HDEL', KEYS[2], unpack(ARGV, i, math.min(i + 999, first - 1))) end
                redis.call('HSET', k, 'a', struct.pack('>I8I8', now, now + tonumber(ARGV[2])) .. ARGV[1])
                redis.call('PEXPIREAT', k, now + math.max(tonumber(ARGV[2]), tonumber(ARGV[3])))
                if user ~= '' then
                  redis.call('ZREM', KEYS[3], reference .. ARGV[5])
                  enter(KEYS[3], reference .. ARGV[6], created + absolute)
                end
                return {'rotated'}
                """)

    /// Ends sessions of a user. KEYS: the index, the session to spare (or the index again), the sessions. ARGV: the user's
    /// digest, reference and digest in one of the session to spare or '', then the same for each session. The number of live
    /// ones that ended; -1, and none did: the session to spare is not live.
    static let end = RedisScript(
        clock + metadata + """
            local function live(key, member)
              local head = redis.call('HMGET', key, 'm', 'u')
              if head[2] ~= string.sub(member, 1, 16) .. ARGV[1] then return nil end
              if not head[1] or #head[1] ~= 57 then return false end
              local _, _, created, seen, idle, absolute = struct.unpack(form, head[1])
              return now < math.min(seen + idle, created + absolute)
            end
            if ARGV[2] ~= '' and not live(KEYS[2], ARGV[2]) then return -1 end
            local ended = 0
            for i = 3, #KEYS do
              local found = live(KEYS[i], ARGV[i])
              if found then ended = ended + 1 end
              if found ~= nil then redis.call('DEL', KEYS[i]) end
              redis.call('ZREM', KEYS[1], ARGV[i])
            end
            return ended
            """)

    /// Takes members off a user's index whose sessions are gone. KEYS: the index, the sessions. ARGV: the user's digest, then
    /// for each session its reference and digest in one.
    static let sweep = RedisScript(
        """
        local swept = 0
        for i = 2, #KEYS do
          if redis.call('HGET', KEYS[i], 'u') ~= string.sub(ARGV[i], 1, 16) .. ARGV[1] then
            swept = swept + redis.call('ZREM', KEYS[1], ARGV[i])
          end
        end
        return swept
        """)
}
