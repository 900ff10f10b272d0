import GalletaPlatform
import PHPSerialization
import Testing

@Suite("Sessions of igbinary")
struct IgbinaryTests {
    private func root(_ hex: String, limits: PHPLimits = PHPLimits()) throws -> PHPValue {
        try PHPDocument([0, 0, 0, 2] + [UInt8](hex: hex), format: .igbinary, limits: limits).root()
    }

    @Test(
        "each form is read",
        arguments: [
            ("1400", "a:0:{}"), ("14020600060006010701", "a:2:{i:0;i:0;i:1;i:-1;}"),
            ("14010600080100", "a:1:{i:0;i:256;}"), ("140106000b00010000", "a:1:{i:0;i:-65536;}"),
            ("14010600200000000100000000", "a:1:{i:0;i:4294967296;}"),
            ("14010600218000000000000000", "a:1:{i:0;i:-9223372036854775808;}"),
            ("140106000c3ff8000000000000", "a:1:{i:0;d:1.5;}"),
            ("1403060000060104060205", "a:3:{i:0;N;i:1;b:0;i:2;b:1;}"),
            ("14021101610d06000e00", "a:2:{s:1:\"a\";s:0:\"\";i:0;s:1:\"a\";}"),
            ("14020600250605060125" + "0101", "a:2:{i:0;i:5;i:1;R:2;}"),
            ("1402060014010600060506010101", "a:2:{i:0;a:1:{i:0;i:5;}i:1;a:1:{i:0;i:5;}}"),
            (
                "14040600140106001101610601010106021101620603" + "0e01",
                "a:4:{i:0;a:1:{i:0;s:1:\"a\";}i:1;a:1:{i:0;s:1:\"a\";}i:2;s:1:\"b\";i:3;s:1:\"b\";}"
            ),
            ("1402060017015014000601" + "2201", "a:2:{i:0;O:1:\"P\":0:{}i:1;r:2;}"),
            ("1402060025170150140006012522" + "01", "a:2:{i:0;O:1:\"P\":0:{}i:1;R:2;}"),
            ("140106001701531d03706179", "a:1:{i:0;C:1:\"S\":3:{pay}}"),
            ("14020600170453756974271106486561727473060122" + "01", "a:2:{i:0;E:11:\"Suit:Hearts\";i:1;r:2;}"),
        ] as [(String, String)])
    func forms(hex: String, text: String) throws {
        #expect(try root(hex) == PHPValue(serialized: Array(text.utf8)))
    }

    @Test(
        "what igbinary wrote means the same as for PHP", .enabled(if: PHPProgram.hasIgbinary), arguments: [1, 2, 3, 4])
    func generated(seed: Int) throws {
        let lines = try PHPProgram.run([testFile("Scripts/igbinary.php"), "\(seed)", "500"]).split(separator: "\n")
        #expect(lines.count == 500)
        for line in lines {
            let fields = line.split(separator: " ").map { [UInt8](hex: $0) }
            let document = try PHPDocument(fields[0], format: .igbinary)
            let expected = try PHPDocument(fields[1], format: .serialize)
            #expect(document.names == expected.names)
            let (own, php) = try (document.root(), expected.root())
            // NAN is not equal to itself.
            #expect(try own == php || own.serialized() == php.serialized(), "\(line)")
        }
    }

    @Test("it is never written")
    func neverWritten() throws {
        var document = try PHPDocument([0, 0, 0, 2, 0x14, 0x01, 0x11, 0x01, 0x61, 0x06, 0x05], format: .igbinary)
        #expect(try document.value("a") == 5)
        for change in [
            { try $0.set("a", to: 1) }, { try $0.remove("a") }, { _ = try $0.encoded() },
        ] as [(inout PHPDocument) throws -> Void] {
            let error = #expect(throws: PHPSerializationError.self) { try change(&document) }
            #expect(error?.code == .format)
            #expect(error?.reason.contains("serialize_handler") == true)
        }
    }

    @Test(
        "what igbinary did not write is refused",
        arguments: [
            "", "14", "1401", "14010600", "1401060022", "140106002201", "140106000101", "1401060011056162",
            "140106000e00",
            "14ff0600", "16ffffffff", "140000", "0605", "1401000600", "14010600170150", "1401060017015001",
            "140106001a00", "14010600208000000000000000", "14010600218000000000000001", "140106000100", "14010600251e",
            "1402060006000600" + "0601",
        ])
    func refused(hex: String) {
        #expect(throws: PHPSerializationError.self) { try root(hex) }
    }

    @Test("arrays that are given again and again by number cost no more than the limits say")
    func doubling() {
        // Each holds the one before twice, by value.
        var hex = "14ff060014010600060" + "5"
        for step in 1..<255 {
            let number = String(step, radix: 16)
            let two = number.count == 1 ? "0" + number : number
            hex += "06\(two)1402060001\(two)060101\(two)"
        }
        let error = #expect(throws: PHPSerializationError.self) { try root(hex) }
        #expect(error?.code == .limit)
        // A long string by number.
        let long = "14820001" + "0600130000ffff" + String(repeating: "61", count: 65_535)
        #expect(throws: PHPSerializationError.self) { try root(long) }
        let many = (0..<200).map { "06" + [$0].map { String($0 + 256, radix: 16).dropFirst() }.joined() + "0e00" }
        let strings = "14c911" + "ff" + String(repeating: "61", count: 255) + "0605" + many.joined()
        #expect(throws: PHPSerializationError.self) { try root(strings, limits: PHPLimits(bytes: 10_000)) }
        #expect(throws: Never.self) { try root(strings) }
    }

    @Test("arrays inside each other are bounded")
    func depth() {
        let hex = String(repeating: "14010600", count: 5_000) + "00"
        let error = #expect(throws: PHPSerializationError.self) { try root(hex) }
        #expect(error?.code == .limit)
    }
}
