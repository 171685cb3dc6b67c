import Drafter
import Files
import Foundation
import Tensors
import Testing

/// Drafters in the layouts of other projects.
@Suite struct ConvertDrafterTests {
  private let pair: TinyPair

  init() throws { pair = try TinyPair() }

  private func speculate(_ arguments: String...) throws -> CommandResult {
    try CommandProcess(arguments).wait()
  }

  /// What a drafter does on a text, without times.
  private func statistics(_ drafter: URL) throws -> [String: Any] {
    let result = try speculate(
      "generate", "--target", pair.target.path, "--drafter", drafter.path, "--prompt", "some text",
      "--max-tokens", "40", "--ignore-end", "--draft-length", "3", "--json")
    #expect(result.status == 0, "\(result.errors)")
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    var numbers = try #require(object["statistics"] as? [String: Any])
    for key in numbers.keys where key.hasSuffix("seconds") { numbers[key] = nil }
    numbers["ids"] = object["ids"]
    return numbers
  }

  @Test(arguments: [["--to", "gguf"], ["--to", "zlab"], ["--to", "speculators"]])
  func aDrafterDraftsTheSame(form: [String]) throws {
    defer { pair.remove() }
    let isGGUF = form.contains("gguf")
    let other = pair.folder.appending(path: isGGUF ? "other.gguf" : "other")
    let target = form.contains("zlab") ? [] : ["--target", pair.target.path]
    let result = try CommandProcess(
      ["convert", pair.drafter.path, other.path, "--weights", "f32"] + form + target
    ).wait()
    #expect(result.status == 0, "\(result.errors)")
    let (mine, theirs) = (try statistics(pair.drafter), try statistics(other))
    #expect(NSDictionary(dictionary: mine) == NSDictionary(dictionary: theirs))
    #expect(mine["drafted_tokens"] as? Int ?? 0 > 0)
    let shown = try speculate("inspect", other.path)
    #expect(shown.status == 0 && shown.output.contains("block-diffusion drafter"))
  }

  private static let fixtures = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/drafter")

  /// A draft vocabulary becomes offsets and flags, and the head the rows of its tokens.
  @Test func speculatorsHasCopiesOfTheTargets() throws {
    defer { pair.remove() }
    let target = try TinyPair(TinyPair.Sizes(vocabulary: 64, hidden: 24, layers: 6))
    defer { target.remove() }
    let source = Self.fixtures.appending(path: "markov-draft-vocabulary")
    let other = pair.folder.appending(path: "other")
    let result = try speculate(
      "convert", source.path, other.path, "--weights", "f32", "--to", "speculators", "--target",
      target.target.path)
    #expect(result.status == 0, "\(result.errors)")
    let (old, new) = (try Checkpoint(directory: source), try Checkpoint(directory: other))
    let embedding = try Checkpoint(directory: target.target)
      .floats("model.embed_tokens.weight", shape: [64, 24])
    let head = try new.floats("lm_head.weight", shape: [40, 24])
    func integers(_ checkpoint: Checkpoint) throws -> [Int] {
      try CheckpointSource(checkpoint, path: "").integers("d2t", count: 40)
    }
    let offsets = try integers(new)
    #expect(try offsets == integers(old))
    for (index, offset) in offsets.enumerated() {
      for column in 0..<24 {
        #expect(head.base[index * 24 + column] == embedding.base[(index + offset) * 24 + column])
      }
    }
    #expect(new.shape(of: "t2d") == [64] && new.storedType(of: "t2d") == .bool)
    #expect(new.shape(of: "embed_tokens.weight") == [64, 24])
    for name in ["markov_head.markov_w1.weight", "markov_head.markov_w2.weight", "fc.weight"] {
      let shape = try #require(old.shape(of: name))
      let (one, two) = (try old.floats(name, shape: shape), try new.floats(name, shape: shape))
      #expect((0..<one.count).allSatisfy { one.base[$0] == two.base[$0] })
    }
    var read = try DrafterConfiguration(directory: other)
    read.targetLayerCount = 6
    #expect(try read == DrafterConfiguration(directory: source))
  }

  /// z-lab's layout has DFlash 2's parts, windows and selector included.
  @Test(arguments: ["one-layer", "dflash2", "dflash2-window"])
  func whatZlabHasIsWritten(name: String) throws {
    defer { pair.remove() }
    let source = Self.fixtures.appending(path: name)
    let other = pair.folder.appending(path: "other")
    let result = try speculate(
      "convert", source.path, other.path, "--weights", "f32", "--to", "zlab")
    #expect(result.status == 0, "\(result.errors)")
    #expect(try DrafterConfiguration(directory: other) == DrafterConfiguration(directory: source))
    let (old, new) = (try Checkpoint(directory: source), try Checkpoint(directory: other))
    #expect(new.names == old.names)
    _ = try BlockDrafter(directory: other)
  }

  /// llama.cpp takes a draft vocabulary only with a head of its own.
  @Test func aFileHasTheHeadOfItsDraftVocabulary() throws {
    defer { pair.remove() }
    let target = try TinyPair(TinyPair.Sizes(vocabulary: 64, hidden: 24, layers: 6))
    defer { target.remove() }
    // Of a tokenizer with as many tokens.
    try FileManager.default.removeItem(at: target.target.appending(path: "tokenizer.model"))
    let source = Self.fixtures.appending(path: "markov-draft-vocabulary")
    let file = pair.folder.appending(path: "drafter.gguf")
    let convert = ["convert", source.path, file.path, "--weights", "f32"]
    let bare = try CommandProcess(convert).wait()
    #expect(bare.status == 0 && bare.errors.contains("llama.cpp wants a head"), "\(bare.errors)")
    #expect(try !DrafterConfiguration(directory: file).ownsHead)
    let result = try CommandProcess(convert + ["--target", target.target.path, "--force"]).wait()
    #expect(result.status == 0, "\(result.errors)")
    #expect(try DrafterConfiguration(directory: file).ownsHead)
    let embedding = try Checkpoint(directory: target.target)
      .floats("model.embed_tokens.weight", shape: [64, 24])
    let tokens = try #require(try BlockDrafter(directory: file).draftVocabulary)
    try GGUFFile(url: file).withBytes(of: "output.weight") { bytes in
      let values = bytes.bindMemory(to: Float.self)
      #expect(values.count == tokens.count * 24)
      for (row, token) in tokens.enumerated() {
        for column in 0..<24 {
          #expect(values[row * 24 + column] == embedding.base[Int(token) * 24 + column])
        }
      }
    }
  }

  @Test(arguments: [
    ("markov", ["--to", "zlab"], "the layout of z-lab has no Markov head"),
    ("markov", ["--to", "speculators"], "target's embedding and head: give --target"),
    ("markov", [], "is converted to a GGUF file or for another project only"),
    ("one-layer", ["--to", "zlab", "--target", "x"], "--target means nothing with --to zlab"),
    ("confidence", ["--to", "speculators", "--target", "TARGET"], "has no confidence_head.own"),
    ("jetspec", ["--to", "speculators", "--target", "TARGET"], "can't say all of this drafter's"),
    ("speculators", ["--to", "zlab"], "holds embed_tokens.weight already"),
  ])
  func whatALayoutCantSayIsRefused(name: String, options: [String], complaint: String) throws {
    defer { pair.remove() }
    let layers = name == "jetspec" ? 8 : 6
    let target = try TinyPair(TinyPair.Sizes(vocabulary: 64, hidden: 24, layers: layers))
    defer { target.remove() }
    let other = pair.folder.appending(path: "other")
    let options = options.map { $0 == "TARGET" ? target.target.path : $0 }
    let result = try CommandProcess(
      ["convert", Self.fixtures.appending(path: name).path, other.path, "--weights", "f32"]
        + options
    ).wait()
    #expect(result.status == 1 && result.errors.contains(complaint), "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: other.path))
  }

  @Test func onlyDraftersGoThere() throws {
    defer { pair.remove() }
    let other = pair.folder.appending(path: "other")
    let target = try speculate(
      "convert", pair.target.path, other.path, "--weights", "f32", "--to", "speculators")
    #expect(target.errors.contains("--to speculators belongs to a drafter, but"))
    let rounded = try speculate(
      "convert", pair.drafter.path, other.path, "--weights", "int8", "--to", "zlab")
    #expect(rounded.errors.contains("--weights int8 is none of other projects' folders"))
  }
}
