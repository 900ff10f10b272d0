import GalletaPlatform
import PHPSerialization
import Testing

@Suite("Values of PHP")
struct ValueTests {
    @Test(
        "each has the text that PHP writes",
        arguments: [
            (nil, "N;"), (true, "b:1;"), (false, "b:0;"), (-5, "i:-5;"), (.init(Int.min), "i:-9223372036854775808;"),
            (0.1, "d:0.1;"), (.init(5.0), "d:5;"), ("é", "s:2:\"é\";"), (.init(bytes: []), "s:0:\"\";"),
            ([1, [true]], "a:2:{i:0;i:1;i:1;a:1:{i:0;b:1;}}"),
            (["b": 1, "9": 2, "08": 3], "a:3:{s:1:\"b\";i:1;i:9;i:2;s:2:\"08\";i:3;}"),
            (PHPValue(["b": 1, "a": 2]), "a:2:{s:1:\"a\";i:2;s:1:\"b\";i:1;}"),
            (.object(PHPObject(className: "A", members: ["0": 1])), "O:1:\"A\":1:{i:0;i:1;}"),
            (.enumCase(PHPEnumCase(className: "Suit", name: "Hearts")), "E:11:\"Suit:Hearts\";"),
            ([1, .reference(to: 2)], "a:2:{i:0;i:1;i:1;R:2;}"),
        ] as [(PHPValue, String)])
    func texts(value: PHPValue, text: String) throws {
        #expect(try value.serialized() == Array(text.utf8))
        #expect(try PHPValue(serialized: Array(text.utf8)) == value)
    }

    @Test("only what it is comes out of a value")
    func accessors() {
        #expect(PHPValue(3).int == 3 && PHPValue(3).double == 3 && PHPValue(3).bool == nil && PHPValue(3).string == nil)
        #expect(PHPValue(3.0).int == nil && PHPValue(true).bool == true && PHPValue(true).int == nil)
        #expect(PHPValue("a").bytes == [0x61] && PHPValue("1").int == nil && PHPValue(bytes: [0xFF]).string == nil)
        #expect(
            PHPValue([1, 2]).list == [1, 2] && PHPValue(["a": 1]).list == nil
                && PHPValue(["a": 1]).dictionary == ["a": 1])
        #expect(PHPValue(["a": [5: 7]])["a"]?[5] == 7 && PHPValue(1)["a"] == nil)
    }

    @Test("an array keeps its order and finds its next number as PHP does")
    func arrays() {
        var array: PHPArray = ["x": 1, 5: 2]
        array.append(3)
        array["x"] = nil
        array["y"] = 4
        #expect(array == [5: 2, 6: 3, "y": 4])
        array = [-3: 1]
        array.append(2)
        #expect(array[0] == 2)
    }

    @Test(
        "canonical decimal text is a number among keys, other text is not",
        arguments: [
            ("9", true), ("0", true), ("-1", true), ("9223372036854775807", true), ("-9223372036854775808", true),
            ("08", false), ("-0", false),
            ("+1", false), ("", false), ("-", false), ("9223372036854775808", false), ("-9223372036854775809", false),
            ("1.5", false), (" 1", false), ("1 ", false), ("99999999999999999999", false),
        ])
    func keys(text: String, isNumber: Bool) throws {
        #expect(PHPKey(ByteString(text)) == (isNumber ? .int(Int(text)!) : .string(ByteString(text))))
        guard PHPProgram.isThere else { return }
        let php = try PHPProgram.run([
            "-r", "echo is_int(array_key_first([$argv[1] => 1])) ? 'int' : 'text';", "--", text,
        ])
        #expect(php == (isNumber ? "int" : "text"))
    }

    @Test("a member's name tells who may see it")
    func members() {
        #expect(PHPObject.name(of: "\0*\0a") == ("a", .protected))
        #expect(PHPObject.name(of: "\0App\\User\0a") == ("a", .private("App\\User")))
        #expect(PHPObject.name(of: "a") == ("a", .public))
        #expect(PHPObject.name(of: 5) == ("5", .public))
        #expect(PHPObject.name(of: "\0") == ("\0", .public))
    }

    @Test("values inside each other are read to a depth that a thread's stack bears, and by path beyond")
    func depth() throws {
        let text = { (depth: Int) in
            Array((String(repeating: "a:1:{i:0;", count: depth) + "i:1;" + String(repeating: "}", count: depth)).utf8)
        }
        #expect(throws: Never.self) { try PHPValue(serialized: text(512)) }
        let error = #expect(throws: PHPSerializationError.self) { try PHPValue(serialized: text(513)) }
        #expect(error?.code == .value)
        let document = try PHPDocument(text(600), format: .serialize)
        #expect(throws: PHPSerializationError.self) { try document.value("0") }
        let path = [PHPKey](repeating: 0, count: 100)
        #expect(try document.value("0", path) != nil)
    }

    @Test("what is written is read as the same value")
    func property() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let value = Self.value(depth: 0, &random)
            let text = try value.serialized()
            #expect(try PHPValue(serialized: text) == value)
            #expect(try PHPDocument(text, format: .serialize).encoded() == text)
        }
    }

    private static func value(depth: Int, _ random: inout SystemRandomNumberGenerator) -> PHPValue {
        switch Int.random(in: 0...(depth > 4 ? 5 : 8), using: &random) {
        case 0: return nil
        case 1: return .init(Bool.random(using: &random))
        case 2: return .init(Int.random(in: .min ... .max, using: &random))
        case 3:
            let number = Double(bitPattern: .random(in: 0 ... .max, using: &random))
            return .init(number.isNaN ? 0.5 : number)
        case 4, 5:
            return .init(
                bytes: (0..<Int.random(in: 0..<20, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
                })
        case 6: return .init((0..<Int.random(in: 0..<4, using: &random)).map { _ in value(depth: depth + 1, &random) })
        case 7:
            var array = PHPArray()
            for _ in 0..<Int.random(in: 0..<6, using: &random) {
                array[
                    PHPKey(
                        ByteString(
                            "\(Int.random(in: -9...20, using: &random))x".dropLast(
                                Int.random(in: 0...1, using: &random))))] =
                    value(depth: depth + 1, &random)
            }
            return .array(array)
        default:
            return .object(
                PHPObject(
                    className: "App\\Model",
                    members: ["\0*\0a": value(depth: depth + 1, &random), "b": value(depth: depth + 1, &random)]))
        }
    }
}

@Suite("Numbers with a fraction")
struct DoubleTextTests {
    @Test(
        "the forms of PHP",
        arguments: [
            (0.0001, "0.0001"), (0.00001, "1.0E-5"), (0.000012, "1.2E-5"), (1e16, "10000000000000000"),
            (1e17, "1.0E+17"), (123456789012345680, "1.2345678901234568E+17"), (-0.0, "-0"), (1.5e300, "1.5E+300"),
            (.leastNonzeroMagnitude, "5.0E-324"), (100, "100"), (1234.5, "1234.5"), (.infinity, "INF"),
            (-.infinity, "-INF"),
            (.nan, "NAN"),
        ] as [(Double, String)])
    func forms(number: Double, text: String) throws {
        #expect(try PHPValue(number).serialized() == Array("d:\(text);".utf8))
    }

    @Test("any number is written as PHP writes it", .enabled(if: PHPProgram.isThere))
    func anyNumber() throws {
        var random = SystemRandomNumberGenerator()
        var numbers: [Double] = []
        for index in 0..<20_000 {
            let number: Double =
                switch index % 4 {
                case 0: Double(bitPattern: .random(in: 0 ... .max, using: &random))
                case 1: Double(Int.random(in: -1_000_000...1_000_000, using: &random)) / 1_000
                case 2: Double(Int.random(in: .min ... .max, using: &random))
                default: Double(Int.random(in: 1...9_999, using: &random)) * 1e-8
                }
            numbers.append(number)
        }
        let script = """
            foreach (file('php://stdin', FILE_IGNORE_NEW_LINES) as $hex) {
                echo serialize(unpack('E', hex2bin($hex))[1]), "\\n";
            }
            """
        let digits = numbers.map { number in
            let text = String(number.bitPattern, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        let input = Array(digits.joined(separator: "\n").utf8)
        let lines = try PHPProgram.run(["-r", script], input: input).split(separator: "\n")
        #expect(lines.count == numbers.count)
        for (number, line) in zip(numbers, lines) {
            let own = try PHPValue(number).serialized()
            #expect(own == Array(line.utf8))
        }
    }
}
