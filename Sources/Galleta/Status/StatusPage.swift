internal import FastCGI
internal import GalletaPlatform
internal import Sessions

/// The status as a page: what is going on now, and the last hour.
struct StatusPage {
    let report: StatusReport
    /// The page asks for itself again after so many seconds.
    static let refresh = 5

    private var status: ServerStatus { report.status }

    var html: HTML {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="refresh" content="\(Self.refresh)">
        <title>\(report.name): status</title>
        <style>\(raw: Self.style)</style>
        </head>
        <body>
        <main>
        <header><h1>\(report.name)</h1><p>up \(Self.words(status.uptime))\(warning)</p></header>
        <section class="tiles">\(tiles)</section>
        <section class="charts">
        \(loadChart)
        \(latencyChart)
        </section>
        \(requests)
        <section class="groups">\(groups)</section>
        </main>
        </body>
        </html>

        """
    }

    private var warning: HTML? {
        let stuck = status.statistics.stuckWorkers
        guard stuck > 0 else { return nil }
        return " <strong class=\"bad\">\(stuck) \(stuck == 1 ? "worker is" : "workers are") stuck</strong>"
    }

    // MARK: Tiles

    private var tiles: [HTML] {
        let recent = report.lastMinutes(5)
        let minutes = max(1, min(5, status.lastHour.count))
        // The present minute is not over: what has passed of it counts.
        let seconds = max(1, min(Double(minutes) * 60 - 30, StatusReport.seconds(status.uptime)))
        let rate = Double(recent.count) / seconds
        let statistics = status.statistics
        let sessions = report.groups.first { $0.title == "Sessions" }?.fields.first { $0.name == "sessions" }
        return [
            tile("Requests a second", rate < 10 ? Self.decimal(rate) : String(Int(rate))),
            tile("p99 of 5 minutes", StatusReport.milliseconds(recent.quantile(0.99))),
            tile("Workers busy", "\(statistics.activeWorkers) of \(statistics.workers)"),
            tile("Connections", String(statistics.openConnections)),
            tile("Sessions", sessions?.text ?? "-"),
            tile("Errors (5xx), 1 h", String(status.lastHour.reduce(0) { $0 + $1.statuses[4] })),
        ]
    }

    private func tile(_ name: String, _ value: String) -> HTML {
        "<div class=\"tile\"><span>\(name)</span><b>\(value)</b></div>"
    }

    // MARK: Charts

    private static let (width, height) = (600, 150)

    /// Requests a minute, errors of the server in another colour.
    private var loadChart: HTML {
        let most = max(1, status.lastHour.map(\.count).max() ?? 1)
        let bars = minutes.map { index, minute -> HTML in
            let all = Self.height * minute.count / most
            let errors = Self.height * minute.statuses[4] / most
            let title = "\(Self.ago(index)): \(minute.count) requests, \(minute.statuses[4]) errors"
            return """
                <g><title>\(title)</title><rect class="bar" x="\(index * 10 + 1)" y="\(Self.height - all)" width="8" height="\(all)"/>\
                <rect class="error" x="\(index * 10 + 1)" y="\(Self.height - errors)" width="8" height="\(errors)"/></g>
                """
        }
        return chart("Requests a minute", "at most \(most)", bars)
    }

    /// Median and p99 by minute, on a logarithmic scale.
    private var latencyChart: HTML {
        let lines: [HTML] = [("p99", 0.99), ("median", 0.5)].map { name, fraction in
            // As wide as a bar: a single minute is to be seen, too.
            let points = minutes.compactMap { index, minute in
                minute.quantile(fraction).map {
                    let y = Self.logarithmicY($0)
                    return "\(index * 10 + 1),\(y) \(index * 10 + 9),\(y)"
                }
            }
            return "<polyline class=\"\(name)\" points=\"\(points.joined(separator: " "))\"/>"
        }
        let marks: [HTML] = [(1, "1 ms"), (10, "10 ms"), (100, "100 ms"), (1_000, "1 s"), (10_000, "10 s")].map {
            let y = Self.logarithmicY(.milliseconds($0.0))
            return "<line x1=\"0\" x2=\"600\" y1=\"\(y)\" y2=\"\(y)\"/><text x=\"2\" y=\"\(y - 3)\">\($0.1)</text>"
        }
        return chart("Latency", "median and p99", marks + lines)
    }

    private func chart(_ title: String, _ note: String, _ content: [HTML]) -> HTML {
        """
        <figure><figcaption>\(title), last hour <small>\(note)</small></figcaption>
        <svg viewBox="0 0 \(Self.width) \(Self.height)" preserveAspectRatio="none" role="img" aria-label="\(title), \(note)">\(content)</svg>
        </figure>
        """
    }

    /// Minutes by their place from the left: the present one is the last of 60.
    private var minutes: [(Int, LatencyHistogram)] {
        let first = 60 - status.lastHour.count
        return status.lastHour.enumerated().map { (first + $0.offset, $0.element) }
    }

    private static func ago(_ index: Int) -> String { index == 59 ? "this minute" : "\(59 - index) min ago" }

    /// From 0.1 ms to 30 s, five and a half decades.
    private static func logarithmicY(_ duration: Duration) -> Int {
        var decades = 0.0
        var rest = Double(duration.nanoseconds) / 100_000
        while rest >= 10 {
            rest /= 10
            decades += 1
        }
        decades += max(0, rest - 1) / 9
        return height - Int(min(1, decades / 5.5) * Double(height))
    }

    // MARK: Requests

    private var requests: HTML {
        let rows = status.requests.map { request -> HTML in
            let isBad = request.state == .stuck
            return """
                <tr\(isBad ? " class=\"bad\"" as HTML : nil)><td>\(request.state.rawValue)</td><td>\(Self.words(request.age))</td>\
                <td>\(request.method) \(request.path)</td><td>\(request.worker.map(String.init) ?? "-")</td>\
                <td>\(request.requestID ?? "-")</td></tr>
                """
        }
        guard !rows.isEmpty else { return "<section><h2>Requests now</h2><p>None but this one.</p></section>" }
        return """
            <section><h2>Requests now</h2><div class="scroll"><table>
            <thead><tr><th>state</th><th>for</th><th>request</th><th>worker</th><th>id</th></tr></thead>
            <tbody>\(rows)</tbody></table></div></section>
            """
    }

    private var groups: [HTML] {
        var groups: [HTML] = report.groups.map { group in
            let rows = group.fields.map { "<div><dt>\($0.name)</dt><dd>\($0.text)</dd></div>" as HTML }
            return "<div><h2>\(group.title)</h2><dl>\(rows)</dl></div>"
        }
        if !status.refusedHeads.isEmpty {
            let rows = status.refusedHeads.sorted { $0.key < $1.key }.map {
                "<div><dt>\($0.key)</dt><dd>\($0.value)</dd></div>" as HTML
            }
            groups.append("<div><h2>Refused heads</h2><dl>\(rows)</dl></div>")
        }
        let rows = report.settings.map { "<div><dt>\($0.name)</dt><dd>\($0.value)</dd></div>" as HTML }
        groups.append("<div><h2>Settings</h2><dl>\(rows)</dl></div>")
        return groups
    }

    static func words(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        switch seconds {
        case ..<10: return StatusReport.milliseconds(duration)
        case ..<120: return "\(seconds) s"
        case ..<7_200: return "\(seconds / 60) min"
        case ..<172_800: return "\(seconds / 3_600) h"
        default: return "\(seconds / 86_400) days"
        }
    }

    private static func decimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    static let style = """
        :root { color-scheme: light dark; --ink: #2b2118; --soft: #6b5b4a; --paper: #fbf6ee; --card: #ffffff; --line: #e6dac8;
          --crust: #9a5a1a; --bar: #c98b4b; --bad: #b3261e; }
        @media (prefers-color-scheme: dark) {
          :root { --ink: #f1e7da; --soft: #b8a692; --paper: #1d1712; --card: #28201a; --line: #45382c; --crust: #e0a05a;
            --bar: #a8733b; --bad: #ff8a80; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif;
          overflow-wrap: anywhere; }
        main { max-width: 72rem; margin: 0 auto; padding: clamp(.6rem, 3vw, 2rem); display: grid; gap: 1rem; }
        header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem 1rem; }
        h1 { margin: 0; font-size: 1.6rem; color: var(--crust); }
        header p { margin: 0; color: var(--soft); }
        h2 { margin: 0 0 .4rem; font-size: 1rem; }
        .bad, tr.bad td { color: var(--bad); font-weight: 600; }
        section { min-width: 0; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .6rem; }
        .tile, figure, .groups > div, section:has(> h2) { background: var(--card); border: 1px solid var(--line);
          border-radius: 12px; padding: .7rem .9rem; margin: 0; }
        .tile span { display: block; color: var(--soft); font-size: .85rem; }
        .tile b { font-size: 1.5rem; font-variant-numeric: tabular-nums; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: .6rem; }
        figcaption { margin-bottom: .4rem; font-weight: 600; }
        figcaption small { color: var(--soft); font-weight: 400; }
        svg { display: block; width: 100%; height: 9rem; border-bottom: 1px solid var(--line); overflow: visible; }
        .bar { fill: var(--bar); }
        .error { fill: var(--bad); }
        polyline { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }
        .p99 { stroke: var(--bar); }
        .median { stroke: var(--crust); }
        svg line { stroke: var(--line); vector-effect: non-scaling-stroke; }
        svg text { fill: var(--soft); font-size: 10px; }
        .groups { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr)); gap: .6rem;
          align-items: start; }
        dl { margin: 0; }
        dl div { display: flex; justify-content: space-between; gap: 1rem; padding: .15rem 0; border-top: 1px solid var(--line); }
        dt { color: var(--soft); }
        dd { margin: 0; font-variant-numeric: tabular-nums; text-align: right; flex: none; max-width: 70%; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: .9rem; }
        th { text-align: left; color: var(--soft); font-weight: 400; }
        th, td { padding: .25rem .8rem .25rem 0; border-top: 1px solid var(--line); vertical-align: top; }
        th, td:nth-child(1), td:nth-child(2), td:nth-child(4) { white-space: nowrap; }
        """
}
