internal import GalletaPlatform
internal import Glibc
public import Sessions

extension MemoryProvider {
    /// The file that carries sessions over a restart: a snapshot of all of them, written at intervals and by `close()`,
    /// read when the provider is made.
    ///
    /// Log-ins, log-outs and rotations go to a journal beside it, and are on the disk before they are answered: no crash
    /// undoes them. A visitor's values are, after a crash, as they were at the last interval or log-in. Where the journal
    /// cannot be written (a full disk), a log-out is carried out and answered with 500, and a log-in refused with 503; it is
    /// logged, and a new journal is tried again and again.
    ///
    /// The file holds the sessions' values as they are, and of each id only the SHA-256. It is made with mode 0600, and
    /// read only if it belongs to this user and nobody else may write it; so is the journal. Beside it: `.journal`, while the
    /// provider is in use; `.tmp` while it is written; `.lock`, which keeps other processes away; `.damaged` or `.refused`, a
    /// copy of what could not be read.
    ///
    /// A path that can never be written (no folder, no right, not a regular file) is refused when the provider is made.
    /// What comes later, such as a full disk, never stops it: the reason and the remedy are logged as an error, and it is
    /// tried again at the next interval. A file that cannot be read is logged and kept aside; one of a newer version stops the
    /// start.
    public struct StateFile: Sendable {
        /// Where it is; the folder must exist.
        public var path: String
        /// The time between two snapshots, 1 second to 1 day. Default: 5 minutes.
        public var interval: Duration
        /// How long a new provider waits for another process to let go of the file, 0 to 1 hour, so that a restart gets
        /// the old process's last snapshot. Default: 15 seconds.
        public var lockTimeout: Duration
        /// Whether there is a journal; false to measure what it costs.
        package var isJournaled = true
        /// The disk.
        package var disk: any StateDisk = SystemDisk()

        /// A state file at `path`.
        public init(path: String, interval: Duration = .seconds(300), lockTimeout: Duration = .seconds(15)) {
            self.path = path
            self.interval = interval
            self.lockTimeout = lockTimeout
        }

        /// Whether a provider could use the file now: the folder, the lock's file, the file itself, and by its head whether
        /// there are sessions in it that can be restored. A provider that is made puts a file aside of which nothing can be
        /// read, and begins without its sessions; here that is an error. Leaves nothing behind, changes nothing, and does not
        /// ask whether another process has the file: that one may be about to stop.
        ///
        /// - Throws: `ConfigurationError` with the remedy.
        public func checkAccess() throws(ConfigurationError) {
            try checkAccess(of: .own)
        }

        /// As ``checkAccess()``, for the sessions of a kind of store.
        package func checkAccess(of kind: SnapshotHeader.Kind) throws(ConfigurationError) {
            try checkClaim()
            // The first start, or none since one that ended in a crash before there was a state file.
            try checkContent(path, "sessions", "no state file") { SnapshotReader.outcome($0, as: kind) }
            try checkContent(JournalOutput.path(beside: path), "log-ins and log-outs", "no journal") {
                JournalReader.outcome($0, of: kind)
            }
        }

        /// What a start would refuse, or could not read.
        private func checkContent(
            _ path: String, _ what: String, _ nothing: String,
            _ outcome: (@escaping SnapshotWindow.Source) -> SnapshotReport.Outcome
        ) throws(ConfigurationError) {
            guard let input = try open(path) else { return }
            let objection: String
            switch outcome(input.read(into:)) {
            case .empty, .read: return
            case .unreadable: objection = "it is \(nothing), or damaged"
            case .foreign: throw Self.foreign(path)
            case .newer(let version): objection = "it is of the newer version \(version)"
            }
            throw ConfigurationError(
                field: "state",
                reason: "the \(what) in \(path) cannot be restored: \(objection)",
                remedy: "move it away to begin without them, put a copy in its place, or give another path")
        }

        // MARK: Also for other stores

        /// The journal that goes with it, if there is to be one.
        package func makeJournal(of kind: SnapshotHeader.Kind) -> StateJournal? {
            isJournaled ? StateJournal(of: kind, beside: path, on: disk) : nil
        }

        /// The sessions of another store are not to be overwritten.
        static func foreign(_ path: String) -> ConfigurationError {
            ConfigurationError(
                field: "state", reason: "\(path) is the state file of another kind of sessions",
                remedy: "give a path of its own, or move the file away to begin without its sessions")
        }

        /// Takes the right to the file, as long as the lock is held.
        func claim() throws(ConfigurationError) -> StateLock {
            let lock: StateLock?
            do throws(StateFailure) {
                try StateOutput.checkPath(path)
                lock = try StateLock.take(for: path, timeout: lockTimeout)
            } catch {
                throw error.refusal(of: path)
            }
            guard let lock else {
                throw ConfigurationError(
                    field: "state", reason: "\(path) is in use by another process (waited \(lockTimeout))",
                    remedy: "stop it, or give each process a path of its own")
            }
            return lock
        }

        /// Whether it could be taken once it is free. Leaves nothing behind.
        private func checkClaim() throws(ConfigurationError) {
            try check()
            do throws(StateFailure) {
                try StateOutput.checkPath(path)
                try StateLock.checkAccess(for: path)
            } catch {
                throw error.refusal(of: path)
            }
        }

        /// The file at a path; nil: there is none.
        private func open(_ path: String) throws(ConfigurationError) -> StateInput? {
            do throws(StateFailure) {
                return try StateInput(path)
            } catch {
                guard error.code != ENOENT else { return nil }
                throw error.refusal(of: path)
            }
        }

        /// What a snapshot that was asked for has come to.
        ///
        /// - Parameter write: Writes it, and gives the number of sessions in it; nil: there is no file.
        package static func report(_ write: (() -> Int?)?) throws(SessionStoreError) -> String {
            guard let write else {
                throw SessionStoreError(.unavailable, "there is no state file (state): nothing is saved")
            }
            guard let count = write() else {
                throw SessionStoreError(.unavailable, "the state file could not be written; the log says why")
            }
            return "saved \(count) sessions\n"
        }

        package func check() throws(ConfigurationError) {
            guard !path.isEmpty, !path.hasSuffix("/"), !path.utf8.contains(0) else {
                throw ConfigurationError(
                    field: "state",
                    reason: "\"\(path)\" is no path of a file",
                    remedy: "give one, for example /var/lib/app/sessions")
            }
            guard interval >= .seconds(1), interval <= .seconds(86_400) else {
                throw ConfigurationError(
                    field: "stateInterval",
                    reason: "\(interval) is not within 1 second and 1 day",
                    remedy: "give the time between two snapshots")
            }
            guard lockTimeout >= .zero, lockTimeout <= .seconds(3_600) else {
                throw ConfigurationError(
                    field: "stateLockTimeout",
                    reason: "\(lockTimeout) is not within 0 and 1 hour",
                    remedy: "give the time to wait for the old process")
            }
        }
    }
}
