// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "TEMPLATE",
    dependencies: [
        .package(path: "DEPENDENCY")
    ],
    targets: [
        .executableTarget(
            name: "TEMPLATE",
            dependencies: [
                .product(name: "GalletaCommand", package: "galleta"),
                .product(name: "Passwords", package: "galleta"),
            ]
        ),
        .testTarget(
            name: "TEMPLATETests",
            dependencies: [
                "TEMPLATE",
                .product(name: "GalletaCommand", package: "galleta"),
                .product(name: "GalletaTesting", package: "galleta"),
            ]
        ),
    ]
)
