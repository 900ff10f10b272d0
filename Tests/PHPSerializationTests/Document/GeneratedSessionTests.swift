import GalletaPlatform
import PHPSerialization
import Testing

@Suite("Sessions that PHP makes up", .enabled(if: PHPProgram.isThere))
struct GeneratedSessionTests {
    @Test(
        "a session goes back as PHP wrote it, and each change to it is written as PHP writes it",
        arguments: PHPFormat.sessionFormats, [1, 2, 3])
    func changes(format: PHPFormat, seed: Int) throws {
        let script = testFile("Scripts/sessions.php")
        let lines = try PHPProgram.run([script, "\(format)", "\(seed)", "500"]).split(separator: "\n")
        var document = PHPDocument(format: format)
        var (sessions, changes, exact) = (0, 0, 0)
        var story: [Substring] = []
        for line in lines {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            let fields = words.dropFirst().map { [UInt8](hex: $0) }
            switch words[0] {
            case "session":
                story = []
                sessions += 1
                document = try PHPDocument(fields[0], format: format)
                #expect(try document.encoded() == fields[0])
                try checkValues(of: document)
            case "set":
                changes += 1
                try document.set(ByteString(bytes: fields[0]), to: PHPValue(serialized: fields[1]))
                try expect(document, toBe: fields[2], after: story + [line], exact: &exact)
            default:
                changes += 1
                try document.remove(ByteString(bytes: fields[0]))
                try expect(document, toBe: fields[1], after: story + [line], exact: &exact)
            }
            story.append(line)
        }
        #expect(sessions > 450 && changes > 1_000 && exact > changes * 99 / 100, "\(exact) of \(changes)")
    }

    private func expect(
        _ document: PHPDocument, toBe php: [UInt8], after story: [Substring], exact: inout Int
    ) throws {
        let own = try document.encoded()
        // PHP itself sometimes forgets, and sometimes not, that a variable is left in one place: `R:` and `r:` to an
        // object are taken for the same here.
        if own != php {
            let (ours, theirs) = try (Shape(own, document.format).text, Shape(php, document.format).text)
            if ours != theirs {
                let same = zip(ours, theirs).prefix { $0 == $1 }.count - 100
                let parts = [ours, theirs].map { $0.dropFirst(same).prefix(200) }
                Issue.record("we write \(parts[0]), PHP \(parts[1]), after \(story.joined(separator: "\n"))")
            }
        }
        exact += own == php ? 1 : 0
        #expect(try PHPDocument(own, format: document.format).encoded() == own)
    }

    /// What is read as a value and written again is the same text that PHP's serialize() gives.
    private func checkValues(of document: PHPDocument) throws {
        for name in document.names {
            let value = try #require(try document.value(name))
            let text = try value.serialized()
            let again = try PHPValue(serialized: text)
            // NAN is not equal to itself.
            #expect(try again == value || again.serialized() == text)
        }
    }
}

/// What a document means, with objects and variables named in the order in which they come.
private struct Shape {
    private(set) var text = ""
    /// By number: what it is called, and whether it is an object.
    private var known: [(name: Int, isObject: Bool)] = []
    private var objects = 0
    private var variables = 0

    init(_ bytes: [UInt8], _ format: PHPFormat) throws {
        try add(PHPDocument(bytes, format: format).root())
    }

    private mutating func add(_ value: PHPValue) {
        if case .reference(let number) = value {
            let target = known[number - 1]
            text += target.isObject ? "object \(target.name) " : "variable \(target.name) "
            return
        }
        if case .sameObject(let number) = value {
            known.append(known[number - 1])
            text += "object \(known[number - 1].name) "
            return
        }
        switch value {
        case .array(let array):
            addVariable()
            add("array", array)
        case .object(let object):
            addObject()
            add("\(object.className)", object.members)
        case .enumCase(let value):
            addObject()
            text += "\(value) "
        default:
            addVariable()
            text += "\(value) "
        }
    }

    private mutating func addObject() {
        known.append((objects, true))
        objects += 1
    }

    private mutating func addVariable() {
        known.append((variables, false))
        variables += 1
    }

    private mutating func add(_ kind: String, _ elements: PHPArray) {
        text += "\(kind) ( "
        for element in elements.elements {
            text += "\(element.key) "
            add(element.value)
        }
        text += ") "
    }
}
