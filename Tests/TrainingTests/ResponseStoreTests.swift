import Files
import Foundation
import TestSupport
import Testing
import Training

/// Folders of responses survive interruptions, and damage is named.
@Suite struct ResponseStoreTests {
  private let folder: TemporaryFolder
  private var store: URL { folder.file("answers") }

  init() throws { folder = try TemporaryFolder() }

  private static let settings = ResponseSettings(
    target: 1 << 63, data: 5, seed: 7, shortestPrompt: 2, longestPrompt: 9, responseLength: 30,
    temperature: 0.5)

  private static func response(_ number: Int) -> Response {
    var random = KeyedRandom(seed: 3, key: "\(number)")
    let count = 2 + Int(random.next() % 30)
    return Response(
      tokens: (0..<count).map { _ in Token(random.next() % 5000) },
      promptLength: Int(random.next() % UInt64(count)), document: number * 3)
  }

  private static let all = (0..<23).map(response)

  private func open(_ settings: ResponseSettings = settings) throws -> ResponseStore {
    try ResponseStore(folder: store, settings: settings, shardSize: 5)
  }

  /// Fills a store up to a count.
  private func fill(to count: Int) throws {
    let store = try open()
    for gap in store.missing(below: count) {
      for number in gap { try store.add(Self.response(number), number: number) }
    }
    try store.flush()
  }

  private var files: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: store.path).sorted() }
  }

  @Test func `what was appended is there again`() throws {
    for count in [0, 3, 4, 5, 11, 23] {
      try fill(to: count)
      let again = try open()
      #expect(again.count == count && again.missing(below: count).isEmpty)
      #expect(again.elements(below: count) == Array(Self.all.prefix(count)))
    }
    #expect(try files.contains("tail-20.bin") && !files.contains("tail-15.bin"))
    try open().seal()
    #expect(
      try files == [
        "0000000.responses.zst", "0000005.responses.zst", "0000010.responses.zst",
        "0000015.responses.zst", "0000020.responses.zst", "manifest.json",
      ])
    // A shard that isn't full is followed by others all the same.
    let more = try open()
    for number in 23..<30 { try more.add(Self.response(number), number: number) }
    #expect(try open().elements(below: 30) == (0..<30).map(Self.response))
    #expect(try ResponseStore(existing: store).count == 30)
  }

  @Test func `half a record at the end is cut off`() throws {
    try fill(to: 8)
    let tail = store.appending(path: "tail-5.bin")
    let whole = try Data(contentsOf: tail)
    for count in [whole.count - 1, whole.count - 30, 7, 0] {
      try whole.prefix(count).write(to: tail)
      let kept = try open().count
      #expect((5..<8).contains(kept))
      try fill(to: 8)
      #expect(try Data(contentsOf: tail) == whole, "\(count)")
    }
  }

  @Test func `answers are kept in whatever order they come`() throws {
    try fill(to: 4)
    do {
      let store = try open()
      for number in [9, 5, 11] { try store.add(Self.response(number), number: number) }
      try store.flush()
    }
    let store = try open()
    #expect(store.count == 4 && store.missing(below: 12) == [4..<5, 6..<9, 10..<11])
    for number in [10, 8, 7, 6] { try store.add(Self.response(number), number: number) }
    #expect(try !files.contains("0000000.responses.zst"))
    try store.add(Self.response(4), number: 4)
    #expect(try files.filter { $0.hasSuffix(".zst") }.count == 2)
    let again = try open()
    #expect(again.missing(below: 12) == [])
    #expect(again.elements(below: 12) == Array(Self.all.prefix(12)))
    // The shards are those of answers that come in order.
    try again.seal()
    let names = try files.filter { $0.hasSuffix(".zst") }
    let made = try names.map { try Data(contentsOf: self.store.appending(path: $0)) }
    try FileManager.default.removeItem(at: self.store)
    try fill(to: 12)
    try open().seal()
    #expect(try names.map { try Data(contentsOf: self.store.appending(path: $0)) } == made)
  }

  @Test func `a tail that two wrote, or an earlier version, is refused`() throws {
    try fill(to: 8)
    let tail = store.appending(path: "tail-5.bin")
    let whole = try Data(contentsOf: tail)
    func complaint(_ content: Data) throws -> String {
      try content.write(to: tail)
      let error = #expect(throws: SpeculateError.self) { try open() }
      return error?.description ?? ""
    }
    let advice =
      ": delete it and give the command that made it again, which makes its responses anew"
    #expect(
      try complaint(whole + whole.dropFirst(16))
        == "\(tail.path) holds a record twice or of another place" + advice)
    #expect(
      try complaint(whole.dropFirst(16))
        == "\(tail.path) doesn't number its records: it is damaged or of an earlier version"
        + advice)
    var other = Self.settings
    other.seed = 8
    try FileManager.default.removeItem(at: store.appending(path: "manifest.json"))
    for number in [0, 5] {
      try whole.write(to: store.appending(path: "tail-\(number).bin"))
    }
    let error = #expect(throws: SpeculateError.self) { try open(other) }
    #expect(
      error?.description
        == store.appending(path: "tail-0.bin").path + " was made with other settings" + advice)
  }

  @Test func `a crash between shard and manifest loses nothing`() throws {
    try fill(to: 4)
    let manifest = try Data(contentsOf: store.appending(path: "manifest.json"))
    let tail = try Data(contentsOf: store.appending(path: "tail-0.bin"))
    try fill(to: 5)
    // The shard was written; manifest and tail are those of before.
    try manifest.write(to: store.appending(path: "manifest.json"))
    try tail.write(to: store.appending(path: "tail-0.bin"))
    #expect(try open().count == 4)
    try fill(to: 7)
    #expect(try open().elements(below: 7) == Array(Self.all.prefix(7)))
    // The manifest was written, too; the old tail is no longer read, and goes.
    try tail.write(to: store.appending(path: "tail-0.bin"))
    #expect(try open().elements(below: 7) == Array(Self.all.prefix(7)))
    #expect(try files.filter { $0.hasPrefix("tail") } == ["tail-5.bin"])
  }

  @Test func `a missing shard is made anew`() throws {
    try fill(to: 23)
    let shard = store.appending(path: "0000010.responses.zst")
    let content = try Data(contentsOf: shard)
    try FileManager.default.removeItem(at: shard)
    #expect(try open().missing(below: 23) == [10..<15])
    try fill(to: 23)
    #expect(try Data(contentsOf: shard) == content)
    #expect(try open().elements(below: 23) == Self.all)
  }

  @Test(arguments: [0, 3, 9, 20, 40])
  func `a damaged shard is named`(byte: Int) throws {
    try fill(to: 10)
    let shard = store.appending(path: "0000005.responses.zst")
    let content = try Data(contentsOf: shard)
    var altered = content
    altered[byte] ^= 0x10
    for damaged in [altered, content.prefix(content.count - 1 - byte), Data(), content + content] {
      try damaged.write(to: shard)
      let error = #expect(throws: SpeculateError.self) { try open() }
      #expect(
        error?.description.hasPrefix("\(shard.path) ") == true, "\(String(describing: error))")
    }
    // A whole shard at another's place.
    try Data(contentsOf: store.appending(path: "0000000.responses.zst")).write(to: shard)
    let error = #expect(throws: SpeculateError.self) { try open() }
    #expect(error?.description.contains("is not the shard that manifest.json describes") == true)
  }

  @Test func `other folders are refused`() throws {
    #expect(
      throws: SpeculateError(
        "\(store.path) holds no responses: give a folder that 'speculate distill data' wrote")
    ) { try ResponseStore(existing: store) }
    try fill(to: 6)
    var settings = Self.settings
    settings.temperature = 0
    #expect(throws: SpeculateError.self) { try open(settings) }
    let manifest = store.appending(path: "manifest.json")
    let text = try String(contentsOf: manifest, encoding: .utf8)
    for (part, other) in [
      ("\"version\" : 1", "\"version\" : 2"), ("\"first\" : 0", "\"first\" : 1"),
      ("\"count\" : 5", "\"count\" : -5"), ("0000000.resp", "../0000.resp"), ("{", "["),
    ] {
      #expect(text.contains(part))
      try Data(text.replacing(part, with: other).utf8).write(to: manifest)
      let error = #expect(throws: SpeculateError.self) { try ResponseStore(existing: store) }
      #expect(error?.description.hasPrefix(manifest.path) == true)
    }
  }
}
