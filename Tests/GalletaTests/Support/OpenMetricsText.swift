import TestSupport

/// Text in OpenMetrics 1.0, read as strictly as its specification has it: of one family all lines stand together, what is said of
/// it first and once each, then its samples, by the names and labels that its type allows.
struct OpenMetricsText {
    struct Sample: Equatable {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    struct Family {
        let name: String
        var help: String?
        var type: String?
        var unit: String?
        var samples: [Sample] = []

        /// What the names of its samples may end with.
        var suffixes: [String] {
            switch type {
            case "counter": ["_total", "_created"]
            case "histogram": ["_bucket", "_count", "_sum", "_created"]
            default: [""]
            }
        }
    }

    private(set) var families: [Family] = []

    init(_ text: String) throws {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.suffix(2) == ["# EOF", ""] else { throw TestFailure(description: "it does not end with # EOF") }
        lines.removeLast(2)
        for line in lines {
            do {
                if line.hasPrefix("#") { try describe(line) } else { try add(line) }
            } catch {
                throw TestFailure(description: "\(error): \(line)")
            }
        }
        for family in families { try Self.check(family) }
    }

    /// The value of the only sample of that name and labels.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        families.flatMap(\.samples).first { $0.name == name && $0.labels == labels }?.value
    }

    private mutating func describe(_ line: String) throws {
        let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
        guard words.count == 4, words[0] == "#" else { throw TestFailure(description: "no description") }
        let name = words[2]
        if families.last?.name != name {
            guard !families.contains(where: { $0.name == name }) else {
                throw TestFailure(description: "the family was there before")
            }
            families.append(Family(name: name))
        }
        let index = families.count - 1
        guard families[index].samples.isEmpty else { throw TestFailure(description: "behind samples") }
        let path: WritableKeyPath<Family, String?>
        switch words[1] {
        case "HELP": path = \.help
        case "TYPE": path = \.type
        case "UNIT": path = \.unit
        default: throw TestFailure(description: "unknown")
        }
        guard families[index][keyPath: path] == nil else { throw TestFailure(description: "twice") }
        families[index][keyPath: path] = words[3]
    }

    private mutating func add(_ line: String) throws {
        let name = String(line.prefix { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) })
        var rest = line.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.first == "{" {
            guard let end = rest.firstIndex(of: "}") else { throw TestFailure(description: "open labels") }
            for pair in rest[rest.index(after: rest.startIndex)..<end].split(separator: ",") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, parts[1].count >= 2, parts[1].first == "\"", parts[1].last == "\"" else {
                    throw TestFailure(description: "a label")
                }
                let value = String(parts[1].dropFirst().dropLast())
                guard labels.updateValue(value, forKey: String(parts[0])) == nil else {
                    throw TestFailure(description: "a label twice")
                }
            }
            rest = rest[rest.index(after: end)...]
        }
        guard rest.first == " ", let value = Double(rest.dropFirst()) else {
            throw TestFailure(description: "no value")
        }
        guard let family = families.last, family.type != nil,
            family.suffixes.contains(where: { name == family.name + $0 })
        else { throw TestFailure(description: "not of the family before it") }
        guard !family.samples.contains(where: { $0.name == name && $0.labels == labels }) else {
            throw TestFailure(description: "twice")
        }
        families[families.count - 1].samples.append(Sample(name: name, labels: labels, value: value))
    }

    private static func check(_ family: Family) throws {
        func fail(_ reason: String) -> TestFailure { TestFailure(description: "\(family.name): \(reason)") }
        guard let type = family.type, ["counter", "gauge", "histogram"].contains(type) else { throw fail("no type") }
        guard family.help?.hasSuffix(".") == true else { throw fail("no help") }
        guard !family.name.hasSuffix("_total") else { throw fail("the suffix is the sample's") }
        // A name with a unit says so, and the other way round.
        guard (family.unit != nil) == family.name.hasSuffix("_seconds") else { throw fail("its unit") }
        if let unit = family.unit, !family.name.hasSuffix("_\(unit)") { throw fail("its unit") }
        guard type == "gauge" || family.samples.allSatisfy({ $0.value >= 0 }) else { throw fail("below zero") }
        guard type == "histogram" else { return }
        let buckets = family.samples.filter { $0.name.hasSuffix("_bucket") }
        let count = family.samples.first { $0.name.hasSuffix("_count") }?.value
        guard buckets.map(\.value) == buckets.map(\.value).sorted(), buckets.last?.labels["le"] == "+Inf",
            buckets.last?.value == count, family.samples.contains(where: { $0.name.hasSuffix("_sum") })
        else { throw fail("its buckets") }
        let bounds = buckets.compactMap { $0.labels["le"] }.compactMap(Double.init)
        guard bounds == bounds.sorted(), bounds.count == buckets.count else { throw fail("its bounds") }
    }
}
