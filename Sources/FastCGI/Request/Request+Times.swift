package import GalletaPlatform

extension Request {
    /// Measures what the request's session asks of its store; nil where nobody wants to know.
    package var storeStopwatch: Stopwatch? {
        guard inner.isTimed else { return nil }
        return inner.live.withLock { $0.times?.store }
    }

    /// Says by which route it is answered, for the slow log.
    package func note(route: @autoclosure () -> String) {
        guard inner.isTimed else { return }
        let route = route()
        inner.time { $0.route = route }
    }
}
