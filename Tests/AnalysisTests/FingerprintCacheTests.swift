import Analysis
import Files
import Foundation
import TestSupport
import Testing

/// Fingerprints that are kept are those of the files that are there.
@Suite struct FingerprintCacheTests {
  private let place = try? TemporaryFolder()

  private func write(_ values: [Float], to folder: URL) throws -> URL {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data("{}".utf8).write(to: folder.appending(path: "config.json"))
    let file = folder.appending(path: "model.safetensors")
    try SafetensorsWriter.write(
      [
        SafetensorsWriter.Entry(name: "w", shape: [values.count], type: .f32) { sink in
          try values.withUnsafeBytes { try sink($0) }
        }
      ], to: file)
    return file
  }

  @Test func anEntryHoldsForTheSameFilesOnly() throws {
    let place = try #require(place)
    let folder = place.url.appending(path: "model")
    let entries = place.url.appending(path: "cache")
    let cache = FingerprintCache(folder: entries)
    let later = Date().timeIntervalSince1970 + 60
    let file = try write([1, 2, 3], to: folder)
    let one = try ModelFingerprint.of(folder)

    // What was changed just now may be changed again within the same tick, so it isn't kept.
    #expect(try cache.fingerprint(of: folder) == one)
    #expect(!FileManager.default.fileExists(atPath: entries.path))
    #expect(try cache.fingerprint(of: folder, now: later) == one)
    let names = try FileManager.default.contentsOfDirectory(atPath: entries.path)
    #expect(names.count == 1)

    // The entry is what answers from now on.
    let entry = entries.appending(path: try #require(names.first))
    let kept = try String(contentsOf: entry, encoding: .utf8)
    #expect(kept.contains(one))
    try kept.replacing(one, with: "kept").write(to: entry, atomically: true, encoding: .utf8)
    #expect(try cache.fingerprint(of: folder, now: later) == "kept")

    // Other bytes of the same size and date are other files, a tick of the system's clock later.
    Thread.sleep(forTimeInterval: 0.03)
    let date = try FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate]
    _ = try write([1, 2, 4], to: folder)
    try FileManager.default.setAttributes(
      [.modificationDate: try #require(date)], ofItemAtPath: file.path)
    let two = try ModelFingerprint.of(folder)
    #expect(two != one)
    #expect(try cache.fingerprint(of: folder, now: later) == two)
    // So is another file in its place, and other settings.
    _ = try write([1, 2, 3], to: place.url.appending(path: "other"))
    try FileManager.default.removeItem(at: file)
    try FileManager.default.moveItem(
      at: place.url.appending(path: "other/model.safetensors"), to: file)
    #expect(try cache.fingerprint(of: folder, now: later) == one)
    try Data("{ }".utf8).write(to: folder.appending(path: "config.json"))
    #expect(
      try cache.fingerprint(of: folder, now: later) == ModelFingerprint.of(folder))

    // A damaged entry is read over.
    try Data("[".utf8).write(to: entry)
    #expect(try cache.fingerprint(of: folder, now: later) == ModelFingerprint.of(folder))
    try FileManager.default.removeItem(at: file)
    #expect(throws: SpeculateError.self) { try cache.fingerprint(of: folder, now: later) }
  }

  /// Where nothing can be written, everything is read.
  @Test func aCacheThatCantBeWrittenIsForgone() throws {
    let place = try #require(place)
    let folder = place.url.appending(path: "model")
    _ = try write([5], to: folder)
    let file = place.url.appending(path: "file")
    try Data().write(to: file)
    #expect(
      try FingerprintCache(folder: file.appending(path: "below"))
        .fingerprint(of: folder, now: Date().timeIntervalSince1970 + 60)
        == ModelFingerprint.of(folder))
  }
}
