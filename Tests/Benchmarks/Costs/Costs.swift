internal import Glibc

/// What the parsers and lists of this package cost on hostile input: for `deploy/costs`, which counts the instructions
/// of `costs_counted` under callgrind.
///
///     parser-costs list                  a line a shape: parser, shape, size
///     parser-costs run PARSER SHAPE N    does the work of a shape once, for an input of the size N
@main
struct Costs {
    static let shapes =
        credentialShapes + formShapes + requestShapes + textShapes + sessionShapes + storeShapes + redisShapes
        + phpShapes

    static func main() {
        do {
            try run()
        } catch {
            print("the input was refused: \(error)")
            exit(1)
        }
    }

    private static func run() throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch (arguments.first, arguments.count) {
        case ("list", 1):
            for shape in shapes { print("\(shape.parser)\t\(shape.name)\t\(shape.size)") }
        case ("run", 4):
            let wanted = Array(arguments.dropFirst())
            guard let shape = shapes.first(where: { $0.parser == wanted[0] && $0.name == wanted[1] }),
                let size = Int(wanted[2]), size > 0
            else { fatalError("there is no such shape, or no such size: \(wanted)") }
            // What is done once in a process (metadata, tables, symbols) is no cost of the input.
            try shape.prepare(1)()
            Self.work = try shape.prepare(size)
            countedWork()
            if let error = Self.error { throw error }
        default:
            print("usage: parser-costs list | parser-costs run PARSER SHAPE N")
            exit(2)
        }
    }

    // Safe: this program has one thread that touches them.
    nonisolated(unsafe) fileprivate static var work: (() throws -> Void)?
    nonisolated(unsafe) fileprivate static var error: (any Error)?
}

/// The one function whose instructions count, with all that it calls; its name is known to `deploy/costs`.
@_silgen_name("costs_counted")
@inline(never)
private func countedWork() {
    do { try Costs.work?() } catch { Costs.error = error }
}
