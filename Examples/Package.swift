// swift-tools-version: 6.1
import PackageDescription

// Programs outside the package that use it as any other would: `swift run --package-path Examples Chat`.
let package = Package(
  name: "examples",
  dependencies: [.package(name: "speculate", path: "..")],
  targets: ["Batch", "Chat", "Complete"].map { name in
    .executableTarget(
      name: name, dependencies: [.product(name: "Speculate", package: "speculate")], path: name)
  })
