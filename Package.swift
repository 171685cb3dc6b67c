// swift-tools-version: 6.1
import PackageDescription

let swiftSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "speculate",
  products: [
    .executable(name: "speculate", targets: ["Tools"]),
    .library(name: "Speculate", targets: ["Speculate"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // Only the server and the command are built with these; the library `Speculate` is not.
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    // What the machine needs. Arrows point up this list, never down.
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(
      name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .target(name: "CSentencePiece", linkerSettings: [.linkedLibrary("sentencepiece")]),
    .target(name: "CKernels", cSettings: [.define("_GNU_SOURCE")]),
    .target(name: "CFiles"),
    // Loads Open MPI when it runs, and only where a job of several processes wants it.
    .target(name: "CMPI", linkerSettings: [.linkedLibrary("dl")]),

    .target(name: "Files", dependencies: ["CFiles", "CZstd"], swiftSettings: swiftSettings),
    .target(
      name: "Text", dependencies: ["Files", "CSentencePiece", "CPCRE2"],
      swiftSettings: swiftSettings),
    .target(name: "Tensors", dependencies: ["Files", "CKernels"], swiftSettings: swiftSettings),
    .target(name: "Verifier", dependencies: ["Tensors", "Files"], swiftSettings: swiftSettings),
    .target(name: "Drafter", dependencies: ["Tensors", "Files"], swiftSettings: swiftSettings),
    .target(
      name: "Speculate", dependencies: ["Drafter", "Verifier", "Text", "Tensors", "Files"],
      swiftSettings: swiftSettings),
    .target(
      name: "Analysis",
      dependencies: ["Speculate", "Drafter", "Verifier", "Text", "Tensors", "Files"],
      swiftSettings: swiftSettings),
    .target(
      name: "Training",
      dependencies: [
        "Analysis", "Speculate", "Drafter", "Verifier", "Text", "Tensors", "Files", "CKernels",
        "COpenBLAS", "CMPI",
      ],
      swiftSettings: swiftSettings),
    .target(
      name: "Server",
      dependencies: [
        "Speculate", "Verifier", "Text", "Tensors", "Files",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: swiftSettings),
    // Runs before the libraries that the command is linked with.
    .target(name: "CStart"),
    .executableTarget(
      name: "Tools",
      dependencies: [
        "CStart", "Server", "Training", "Analysis", "Speculate", "Drafter", "Verifier", "Text",
        "Tensors",
        "Files",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: swiftSettings),

    // Also built from outside, by Examples/Package.swift.
    .executableTarget(name: "Chat", dependencies: ["Speculate"], path: "Examples/Chat"),
    .executableTarget(name: "Complete", dependencies: ["Speculate"], path: "Examples/Complete"),
    .executableTarget(name: "Batch", dependencies: ["Speculate"], path: "Examples/Batch"),

    // Counts allocations for tests; needs glibc.
    .target(name: "CAllocations", path: "Tests/CAllocations"),
    .target(
      name: "TestSupport", dependencies: ["Speculate", "Drafter", "Verifier", "Tensors", "Files"],
      path: "Tests/TestSupport", swiftSettings: swiftSettings),
    .testTarget(
      name: "FilesTests", dependencies: ["Files", "Tensors", "TestSupport"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "TextTests", dependencies: ["Text", "Files", "CPCRE2", "TestSupport"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "TensorsTests", dependencies: ["Tensors", "Files", "CKernels", "TestSupport"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "VerifierTests", dependencies: ["Verifier", "Text", "Tensors", "Files", "TestSupport"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "DrafterTests", dependencies: ["Drafter", "Tensors", "Files", "TestSupport"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "SpeculateTests",
      dependencies: [
        "Speculate", "Drafter", "Verifier", "Text", "Tensors", "Files", "CAllocations",
        "TestSupport",
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "AnalysisTests",
      dependencies: [
        "Analysis", "Speculate", "Drafter", "Verifier", "Text", "Tensors", "Files", "TestSupport",
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Training", "Analysis", "Speculate", "Drafter", "Verifier", "Text", "Tensors", "Files",
        "CKernels", "TestSupport",
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "ServerTests",
      dependencies: [
        "Server", "Speculate", "Drafter", "Verifier", "Text", "Tensors", "Files", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "ToolsTests",
      dependencies: [
        "Tools", "Chat", "Complete", "Batch", "Server", "Analysis", "Speculate", "Drafter",
        "Verifier", "Text",
        "Tensors", "Files", "TestSupport",
      ],
      exclude: ["Analysis/recompute.py"],
      swiftSettings: swiftSettings),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)
