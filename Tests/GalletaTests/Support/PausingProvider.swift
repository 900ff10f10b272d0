import Glibc
import Sessions

/// A provider over another that takes its time.
final class PausingProvider: SessionProvider {
    private let base: any SessionProvider
    private let milliseconds: UInt32

    init(_ base: any SessionProvider, milliseconds: UInt32) {
        self.base = base
        self.milliseconds = milliseconds
    }

    private func pause() { usleep(milliseconds * 1_000) }

    func lookUp(_ session: SessionHandle) throws -> SessionFinding {
        pause()
        return try base.lookUp(session)
    }
    func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation {
        pause()
        return try base.create(id, draft)
    }
    func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) throws -> SessionCommitOutcome {
        pause()
        return try base.commit(patch, to: session, expecting: version)
    }
    func touch(_ session: SessionHandle) throws -> SessionTouch { try base.touch(session) }
    func destroy(_ session: SessionHandle) throws -> Bool { try base.destroy(session) }
    func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation {
        try base.rotate(session, to: new, grace: grace)
    }
    func close() { base.close() }
}
