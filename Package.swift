// swift-tools-version: 6.2
import PackageDescription

/// One set of compiler settings for every Swift target of the package.
var settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
if Context.environment["GALLETA_STRICT"] != nil {
    settings.append(.treatAllWarnings(as: .error))
}

let package = Package(
    name: "galleta",
    products: [
        .library(name: "Galleta", targets: ["Galleta"]),
        .library(name: "GalletaFoundation", targets: ["GalletaFoundation"]),
        .library(name: "FastCGI", targets: ["FastCGI"]),
        .library(name: "Sessions", targets: ["Sessions"]),
        .library(name: "MemorySessions", targets: ["MemorySessions"]),
        .library(name: "RedisSessions", targets: ["RedisSessions"]),
        .library(name: "PHPSerialization", targets: ["PHPSerialization"]),
        .library(name: "PHPSessions", targets: ["PHPSessions"]),
        .library(name: "SessionsTesting", targets: ["SessionsTesting"]),
        .library(name: "GalletaTesting", targets: ["GalletaTesting"]),
        .library(name: "Passwords", targets: ["Passwords"]),
        .library(name: "GalletaCommand", targets: ["GalletaCommand"]),
        .executable(name: "galleta-server", targets: ["GalletaServer"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    ],
    targets: [
        // C
        .systemLibrary(name: "CFastCGI", pkgConfig: "fcgi", providers: [.apt(["libfcgi-dev"])]),
        .systemLibrary(name: "CCrypt", providers: [.apt(["libcrypt-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSSL", pkgConfig: "libssl", providers: [.apt(["libssl-dev"])]),
        .target(name: "CFastCGIHost", dependencies: ["CFastCGI"]),
        .target(name: "CPlatform"),

        // Libraries
        .target(name: "GalletaPlatform", dependencies: ["CPlatform"], swiftSettings: settings),
        .target(
            name: "FastCGI",
            dependencies: [
                "CFastCGI", "CFastCGIHost", "CPlatform", "GalletaPlatform",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Sessions",
            dependencies: ["CCrypto", "GalletaPlatform", .product(name: "Logging", package: "swift-log")],
            swiftSettings: settings
        ),
        .target(
            name: "SessionsTesting",
            dependencies: ["Sessions", "GalletaPlatform"],
            swiftSettings: settings
        ),
        .target(
            name: "MemorySessions",
            dependencies: [
                "CCrypto", "CPlatform", "Sessions", "GalletaPlatform",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Passwords",
            dependencies: [
                "CCrypt", "CCrypto", "CPlatform", "GalletaPlatform", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .target(name: "PHPSerialization", dependencies: ["GalletaPlatform"], swiftSettings: settings),
        .target(
            name: "PHPSessions",
            dependencies: [
                "CCrypto", "CPlatform", "GalletaPlatform", "MemorySessions", "PHPSerialization", "RESP",
                "RedisSessions", "Sessions",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .target(name: "RESP", swiftSettings: settings),
        .target(
            name: "RedisSessions",
            dependencies: [
                "CCrypto", "CPlatform", "CSSL", "RESP", "Sessions", "GalletaPlatform",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Galleta",
            dependencies: [
                "FastCGI", "Sessions", "GalletaPlatform",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "GalletaTesting",
            dependencies: [
                "Galleta", "FastCGI", "Sessions", "SessionsTesting", "MemorySessions", "GalletaPlatform",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: settings
        ),

        .target(
            name: "GalletaFoundation", dependencies: ["Galleta", "FastCGI", "GalletaPlatform"], swiftSettings: settings),

        .target(
            name: "GalletaCommand",
            dependencies: [
                "Galleta", "FastCGI", "Sessions", "MemorySessions", "PHPSessions", "RedisSessions", "CPlatform",
                "GalletaPlatform",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),

        // The executable
        .executableTarget(
            name: "GalletaServer",
            dependencies: [
                "GalletaCommand", "Galleta", "FastCGI", "Sessions", "Passwords", "GalletaPlatform",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: settings
        ),

        // Tests
        .target(
            name: "TestSupport",
            dependencies: [
                "CPlatform", "FastCGI", "GalletaPlatform", "MemorySessions", "Sessions",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        .testTarget(
            name: "GalletaPlatformTests",
            dependencies: ["GalletaPlatform"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "FastCGITests",
            dependencies: ["CFastCGI", "FastCGI", "GalletaPlatform", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SessionsTests",
            dependencies: [
                "Sessions", "SessionsTesting", "MemorySessions", "GalletaPlatform", "ProviderProgram", "TestSupport",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MemorySessionsTests",
            dependencies: [
                "MemorySessions", "Sessions", "SessionsTesting", "GalletaPlatform", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PasswordsTests",
            dependencies: [
                "Passwords", "GalletaPlatform", "TestSupport", "CCrypt",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PHPSerializationTests",
            dependencies: ["PHPSerialization", "GalletaPlatform", "TestSupport"],
            exclude: ["Scripts", "Vectors"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PHPSessionsTests",
            dependencies: [
                "PHPSessions", "PHPSerialization", "MemorySessions", "RESP", "RedisSessions", "Sessions",
                "SessionsTesting",
                "GalletaPlatform", "TestSupport",
            ],
            exclude: ["Scripts"],
            swiftSettings: settings
        ),
        .testTarget(name: "RESPTests", dependencies: ["RESP"], swiftSettings: settings),
        .testTarget(
            name: "RedisSessionsTests",
            dependencies: [
                "RedisSessions", "RESP", "Sessions", "CPlatform", "GalletaPlatform", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "GalletaTests",
            dependencies: [
                "Galleta", "GalletaTesting", "MemorySessions", "Passwords", "Sessions", "GalletaPlatform",
                "TestSupport",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "GalletaFoundationTests",
            dependencies: ["GalletaFoundation", "Galleta", "GalletaPlatform", "GalletaTesting"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "GalletaTestingTests",
            dependencies: ["GalletaTesting", "ShopProgram"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ArticleProgramTests",
            dependencies: [
                "GalletaCommand", "GalletaTesting", "Passwords", "FirstProgram", "FormsProgram", "ErrorsProgram",
                "LogInProgram", "CheckoutProgram",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ShopTests",
            dependencies: ["GalletaTesting", "Passwords", "Shop", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "GalletaCommandTests",
            dependencies: [
                "GalletaCommand", "FastCGI", "Galleta", "MemorySessions", "Sessions", "GalletaPlatform", "TestSupport",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "GalletaServerTests",
            dependencies: ["GalletaServer", "GalletaPlatform", "Passwords", "Sessions", "TestSupport"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "LifecycleProgram",
            dependencies: ["Galleta", "MemorySessions", .product(name: "Logging", package: "swift-log")],
            path: "Tests/Programs/LifecycleProgram",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "PathProgram",
            dependencies: ["Galleta", "MemorySessions"],
            path: "Tests/Programs/PathProgram",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "CommandProgram",
            dependencies: ["GalletaCommand"],
            path: "Tests/Programs/CommandProgram",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ProviderProgram",
            dependencies: ["Galleta", "Sessions"],
            path: "Tests/Programs/ProviderProgram",
            swiftSettings: settings
        ),
        // The programs of the articles.
        .executableTarget(
            name: "FirstProgram",
            dependencies: ["GalletaCommand"],
            path: "Tests/Programs/FirstProgram",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "FormsProgram",
            dependencies: ["GalletaCommand"],
            path: "Tests/Programs/FormsProgram",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ErrorsProgram",
            dependencies: ["GalletaCommand"],
            path: "Tests/Programs/ErrorsProgram",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "LogInProgram",
            dependencies: ["GalletaCommand", "Passwords"],
            path: "Tests/Programs/LogInProgram",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "CheckoutProgram",
            dependencies: ["GalletaCommand"],
            path: "Tests/Programs/CheckoutProgram",
            swiftSettings: settings
        ),
        // The example of a whole application.
        .executableTarget(
            name: "Shop",
            dependencies: ["Galleta", "GalletaCommand", "Passwords"],
            path: "Tests/Programs/Shop",
            exclude: ["Files"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ShopProgram",
            dependencies: ["Galleta", "MemorySessions"],
            path: "Tests/Programs/ShopProgram",
            swiftSettings: settings
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "TestSupport", "GalletaPlatform", "GalletaServer", "CommandProgram", "LifecycleProgram", "PathProgram",
                "ProviderProgram", "FirstProgram", "FormsProgram", "ErrorsProgram", "LogInProgram", "Shop",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "FaultTests",
            dependencies: ["TestSupport", "GalletaServer"],
            swiftSettings: settings
        ),
    ]
)

// Fuzzers of the parsers, for `deploy/fuzz` only: unsafe flags would make the package unusable as a dependency.
if Context.environment["GALLETA_FUZZ"] != nil {
    let fuzzers = [
        ("RequestCheckFuzzer", "FastCGI"), ("CookieFuzzer", "Sessions"), ("FormFuzzer", "FastCGI"),
        ("PathFuzzer", "FastCGI"),
        ("SnapshotFuzzer", "MemorySessions"), ("RESPFuzzer", "RESP"),
        ("PHPSessionFuzzer", "PHPSerialization"), ("IgbinaryFuzzer", "PHPSerialization"),
    ]
    for (name, target) in fuzzers {
        package.targets.append(
            .executableTarget(
                name: name,
                dependencies: [.target(name: target)],
                path: "Tests/Fuzz/\(name)",
                swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]
            ))
    }
}

// The benchmark of the session store, for `deploy/bench sessions`, a Redis full of sessions, for `deploy/bench
// redis-memory`, large bodies, for `deploy/bench transfers`, handlers that wait, for `deploy/bench waits`, and the costs of
// hostile input, for `deploy/costs`, and PHP's formats, for `deploy/bench php-formats`: nobody else has to build them.
if Context.environment["GALLETA_BENCHMARKS"] != nil {
    package.targets += [
        .executableTarget(
            name: "session-store-benchmark",
            dependencies: ["Sessions", "MemorySessions", "GalletaPlatform"],
            path: "Tests/Benchmarks/SessionStore",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "redis-sessions-benchmark",
            dependencies: ["Sessions", "RedisSessions", "GalletaPlatform"],
            path: "Tests/Benchmarks/RedisSessions",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "transfer-program",
            dependencies: ["Galleta", "MemorySessions"],
            path: "Tests/Programs/TransferProgram",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "wait-program",
            dependencies: ["Galleta", "MemorySessions"],
            path: "Tests/Programs/WaitProgram",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "php-formats-benchmark",
            dependencies: ["PHPSerialization"],
            path: "Tests/Benchmarks/PHPFormats",
            exclude: ["session.php"],
            swiftSettings: settings
        ),
        // Nothing links with an executable: its code for known browsers is there by a symbolic link.
        .executableTarget(
            name: "parser-costs",
            dependencies: [
                "Galleta", "FastCGI", "Sessions", "MemorySessions", "RedisSessions", "Passwords", "RESP",
                "SessionsTesting", "PHPSerialization", "CPlatform", "GalletaPlatform",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Benchmarks/Costs",
            swiftSettings: settings
        ),
    ]
}
