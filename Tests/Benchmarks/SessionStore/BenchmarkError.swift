/// Why a run has no figures.
enum BenchmarkError: Error {
    /// The store refused a session that it has room for.
    case refused
    /// A session that is there was not found.
    case lost
    /// The expired sessions were not collected in time.
    case late
}
