/// One figure of the status.
package struct StatusFigure: Sendable {
    /// As in text and JSON.
    let name: String
    /// As in OpenMetrics, without prefix and suffix.
    let metric: String
    /// What tells it from others of the same metric, if there are any.
    var label: (name: String, value: String)?
    let help: String
    let kind: Kind
    let value: Double

    enum Kind {
        /// Only ever grows.
        case counter
        case gauge
        /// A gauge in seconds.
        case seconds
    }

    /// What only ever grows.
    ///
    /// - Parameters:
    ///   - name: As in text and JSON.
    ///   - metric: As in OpenMetrics, without prefix and suffix.
    package static func counter(_ name: String, _ metric: String, _ help: String, _ value: Int) -> StatusFigure {
        StatusFigure(name: name, metric: metric, help: help, kind: .counter, value: Double(value))
    }

    /// What goes up and down.
    package static func gauge(_ name: String, _ metric: String, _ help: String, _ value: Int) -> StatusFigure {
        StatusFigure(name: name, metric: metric, help: help, kind: .gauge, value: Double(value))
    }

    /// A time.
    static func seconds(_ name: String, _ metric: String, _ help: String, _ value: Duration) -> StatusFigure {
        StatusFigure(
            name: name, metric: metric + "_seconds", help: help, kind: .seconds, value: StatusReport.seconds(value))
    }

    /// With a label in OpenMetrics, for one of several of a metric.
    func labelled(_ name: String, _ value: String) -> StatusFigure {
        var copy = self
        copy.label = (name, value)
        return copy
    }

    /// The value for a reader.
    var text: String {
        kind == .seconds ? StatusReport.milliseconds(.nanoseconds(Int64(value * 1e9))) : String(Int(value))
    }

    /// The value for a program: counts are whole numbers.
    var number: String { kind == .seconds ? "\(value)" : String(Int(value)) }

    /// In JSON, times in seconds.
    var json: SessionValue { kind == .seconds ? .double(value) : .int(Int64(value)) }
}

/// Figures that belong together.
package struct StatusGroup: Sendable {
    let title: String
    var fields: [StatusFigure]

    /// - Parameter title: For the page.
    package init(title: String, fields: [StatusFigure]) {
        self.title = title
        self.fields = fields
    }
}
