import Foundation
import Sessions
import TestSupport

/// Looks at what a server keeps, from the outside.
enum StoreAudit {
    /// Keys that would never go.
    static func lastingKeys(_ server: RedisServer) throws -> [String] {
        let script = """
            local kept = {}
            for _, key in ipairs(redis.call('KEYS', '*')) do
              if redis.call('PTTL', key) == -1 then
                kept[#kept + 1] = key .. ' of ' .. table.concat(redis.call('HKEYS', key), ',')
              end
            end
            return kept
            """
        return try server.cli("EVAL", script, "0").split(separator: "\n").map(String.init)
    }

    /// How many of these ids are in the server's files, as text or as bytes.
    static func readableIDs(_ ids: [SessionID], of server: RedisServer) throws -> Int {
        try server.cli("SAVE")
        let folder = URL(fileURLWithPath: server.folder.file("data"))
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.allObjects ?? []
        let contents = files.compactMap { ($0 as? URL).flatMap { try? Data(contentsOf: $0) } }
        return ids.count { id in
            contents.contains { $0.range(of: Data(id.encoded.utf8)) != nil || $0.range(of: Data(id.bytes)) != nil }
        }
    }
}
