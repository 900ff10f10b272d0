import Foundation
import TestSupport

/// Text in OpenMetrics 1.0, read by the parser of Prometheus's own client library (Debian's python3-prometheus-client), which
/// refuses what the specification does not allow.
struct OpenMetrics {
    struct Sample: Decodable {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    let samples: [Sample]

    init(_ text: String) throws {
        let output = try Python.run(
            """
            import json, sys
            from prometheus_client.openmetrics.parser import text_fd_to_metric_families
            with open(sys.argv[1], encoding="utf-8") as text:
                print(json.dumps([
                    {"name": sample.name, "labels": sample.labels, "value": sample.value}
                    for family in text_fd_to_metric_families(text) for sample in family.samples
                ]))
            """, on: text)
        samples = try JSONDecoder().decode([Sample].self, from: Data(output.utf8))
    }

    /// The value of the only sample of that name and labels.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        samples.first { $0.name == name && $0.labels == labels }?.value
    }
}
