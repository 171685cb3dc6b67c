import Foundation
import Testing

/// `speculate convert` from outside: what it writes, loads as what `--weights` makes while loading.
@Suite struct ConvertTests {
  private let pair: TinyPair
  private let output: URL

  init() throws {
    pair = try TinyPair()
    output = pair.folder.appending(path: "converted")
  }

  private func convert(_ arguments: String...) throws -> CommandResult {
    try CommandProcess(["convert", pair.target.path, output.path] + arguments).wait()
  }

  private func generate(_ target: URL, _ arguments: [String] = []) throws -> [Int] {
    let result = try CommandProcess(
      [
        "generate", "--target", target.path, "--drafter", "none", "--prompt", "some text",
        "--temperature", "1", "--max-tokens", "40", "--ignore-end", "--json",
      ] + arguments
    ).wait()
    #expect(result.status == 0, "\(result.errors)")
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    return try #require(object["ids"] as? [Int])
  }

  @Test(arguments: [
    ["--weights", "int8"], ["--weights", "int4"], ["--weights", "bf16"],
    ["--weights", "int4", "--head-weights", "int4"],
    ["--weights", "int8", "--head-weights", "bf16", "--embedding-weights", "int4"],
  ])
  func aConvertedModelIsWhatLoadingConverts(arguments: [String]) throws {
    defer { pair.remove() }
    let result = try CommandProcess(["convert", pair.target.path, output.path] + arguments).wait()
    #expect(result.status == 0, "\(result.errors)")
    let converted = try generate(output)
    #expect(try converted == generate(pair.target, arguments))
    // Four bits change the text for sure; more bits may not within a few tokens.
    if arguments[1] == "int4" { #expect(try converted != generate(pair.target)) }
    // The rest of the folder came along, and nothing else is left beside it.
    let files = try FileManager.default.contentsOfDirectory(atPath: output.path).sorted()
    #expect(files == ["config.json", "model.safetensors", "tokenizer.model"])
    let around = try FileManager.default.contentsOfDirectory(atPath: pair.folder.path).sorted()
    #expect(around == ["converted", "drafter", "target"])
  }

  @Test func aDrafterOfTheOriginalDraftsForIt() throws {
    defer { pair.remove() }
    #expect(try convert("--weights", "int4").status == 0)
    let result = try CommandProcess([
      "generate", "--target", output.path, "--drafter", pair.drafter.path, "--prompt", "some text",
      "--max-tokens", "60", "--ignore-end", "--compare", "--repeats", "1", "--kv-type", "bf16",
    ]).wait()
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.lastLine.hasPrefix("identical yes"))
  }

  @Test func perplexityBeforeAndAfter() throws {
    defer { pair.remove() }
    let text = pair.folder.appending(path: "text")
    try Data(String(repeating: "all of this is text. ", count: 40).utf8).write(to: text)
    let result = try convert(
      "--weights", "int8", "--perplexity", text.path, "--perplexity-tokens", "300", "--json")
    #expect(result.status == 0, "\(result.errors)")
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    let before = try #require(object["perplexity_before"] as? Double)
    let after = try #require(object["perplexity_after"] as? Double)
    #expect(before > 1 && abs(after / before - 1) < 0.05 && after != before)
    #expect(object["perplexity_tokens"] as? Int == 300)
    let sizes = try #require(object["bytes_before"] as? Int)
    #expect(try #require(object["bytes_after"] as? Int) < sizes / 3)
    #expect(object["weights"] as? String == "int8")
  }

  @Test func inspectShowsTheFormats() throws {
    defer { pair.remove() }
    #expect(try convert("--weights", "int4", "--embedding-weights", "bf16").status == 0)
    let result = try CommandProcess(["inspect", output.path, "--tensors"]).wait()
    #expect(result.status == 0)
    #expect(result.output.contains("int4, head int8, embedding bf16"))
    #expect(result.output.contains("lm_head.weight_scale"))
  }

  @Test func nothingIsReplacedUnasked() throws {
    defer { pair.remove() }
    let exists =
      "error: \(output.path): exists already; give another folder, or --force to replace it\n"
    #expect(try convert("--weights", "int8").status == 0)
    let again = try convert("--weights", "int4")
    #expect(again.status == 1 && again.errors.hasSuffix(exists))
    #expect(try convert("--weights", "int4", "--force").status == 0)
    let inspected = try CommandProcess(["inspect", output.path]).wait()
    #expect(inspected.output.contains("int4, head int8"))
    // What is no model is never removed.
    try FileManager.default.removeItem(at: output.appending(path: "config.json"))
    let other = try convert("--weights", "int4", "--force")
    #expect(other.status == 1 && other.errors.contains("is no model's folder"))
  }

  @Test func mistakesAreNamed() throws {
    defer { pair.remove() }
    #expect(try convert("--weights", "int8").status == 0)
    let twice = try CommandProcess(
      ["convert", output.path, output.path + "2", "--weights", "int4"]
    ).wait()
    #expect(
      twice.errors
        == "error: \(output.path): is converted already (int8); convert the original, or each rounding "
        + "adds to the last\n")
    let itself = try CommandProcess(
      ["convert", pair.target.path, pair.target.path, "--weights", "int8", "--force"]
    ).wait()
    #expect(
      itself.errors.hasSuffix("\(pair.target.path): is the folder to convert; give another one\n"))
    let missing = try convert("--weights", "int8", "--force", "--perplexity", "/nowhere")
    #expect(missing.errors == "error: --perplexity /nowhere: can't be read; check the path\n")
    #expect(try convert().status == 64)
  }

  /// What convert doesn't write, it doesn't remove; least of all what it reads.
  @Test func nothingThatIsNotWrittenAnewIsLost() throws {
    defer { pair.remove() }
    let target = pair.target
    let before = try FileManager.default.subpathsOfDirectory(atPath: pair.folder.path).sorted()
    // A model's folder around the source, by several names.
    try Data("{}".utf8).write(to: pair.folder.appending(path: "config.json"))
    try FileManager.default.createSymbolicLink(
      at: pair.folder.appending(path: "link"), withDestinationURL: pair.folder)
    for place in [pair.folder.path, pair.folder.path + "/link", ".", "target/.."] {
      let result = try speculate(
        "convert", target.path, place, "--weights", "int8", "--force", current: pair.folder)
      #expect(result.status == 1)
      #expect(
        result.errors
          == "error: \(pair.folder.path) holds the source \(target.path): give a destination apart from "
          + "it\n", "\(place): \(result.errors)")
    }
    let inside = try speculate(
      "convert", target.path, "target/new", "--weights", "int8", "--force", current: pair.folder)
    #expect(inside.errors.contains("lies in the source"), "\(inside.errors)")
    let itself = try speculate(
      "convert", target.path, "link/target", "--weights", "int8", "--force", current: pair.folder)
    #expect(itself.errors.contains("is the folder to convert"), "\(itself.errors)")
    // Something of the user's in the folder to replace.
    #expect(try convert("--weights", "int8").status == 0)
    let notes = output.appending(path: "notes.txt")
    try Data("mine".utf8).write(to: notes)
    let kept = try convert("--weights", "int4", "--force")
    #expect(
      kept.errors.hasSuffix(
        "\(output.path): holds \"notes.txt\", which would be lost; move that away, or give another "
          + "folder\n"), "\(kept.errors)")
    #expect(try Data(contentsOf: notes) == Data("mine".utf8))
    try FileManager.default.removeItem(at: notes)
    #expect(try convert("--weights", "int4", "--force").status == 0)
    try FileManager.default.removeItem(at: output)
    for name in ["config.json", "link"] {
      try FileManager.default.removeItem(at: pair.folder.appending(path: name))
    }
    let after = try FileManager.default.subpathsOfDirectory(atPath: pair.folder.path).sorted()
    #expect(after == before)
  }

  @Test func whatAKilledConversionLeftIsPutBackOrRemoved() throws {
    defer { pair.remove() }
    #expect(try convert("--weights", "int8").status == 0)
    let files = FileManager.default
    let before = try files.subpathsOfDirectory(atPath: pair.folder.path).sorted()
    // Killed between the renames: the old model is there under another name only.
    try files.moveItem(at: output, to: pair.folder.appending(path: ".converted.x1.old"))
    try files.createDirectory(
      at: pair.folder.appending(path: ".converted.x1.tmp"), withIntermediateDirectories: false)
    let asked = try convert("--weights", "int4")
    #expect(
      asked.errors.hasSuffix("exists already; give another folder, or --force to replace it\n"))
    #expect(try files.subpathsOfDirectory(atPath: pair.folder.path).sorted() == before)
    #expect(try convert("--weights", "int4", "--force").status == 0)
    #expect(try files.subpathsOfDirectory(atPath: pair.folder.path).sorted() == before)
  }

  // MARK: GGUF files

  private var file: URL { pair.folder.appending(path: "model.gguf") }

  /// A file generates what the folder does, and becomes the folder again.
  @Test func toAFileAndBack() throws {
    defer { pair.remove() }
    try pair.addChatTemplate()
    let result = try CommandProcess(
      ["convert", pair.target.path, file.path, "--weights", "f32", "--json"]
    ).wait()
    #expect(result.status == 0, "\(result.errors)")
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(object["weights"] as? String == "F32" && object["notes"] as? [String] == [])
    #expect(try generate(file) == generate(pair.target))
    let back = try CommandProcess(["convert", file.path, output.path, "--weights", "f32"]).wait()
    #expect(back.status == 0, "\(back.errors)")
    #expect(try generate(output) == generate(pair.target))
    let files = try FileManager.default.contentsOfDirectory(atPath: output.path).sorted()
    #expect(
      files == ["config.json", "model.safetensors", "tokenizer.model", "tokenizer_config.json"])
    let chat = try [pair.target, file, output].map { target in
      try speculate(
        "generate", "--target", target.path, "--drafter", "none", "--chat", "--prompt", "hello",
        "--max-tokens", "8", "--json")
    }
    for result in chat { #expect(result.status == 0, "\(result.errors)") }
    func ids(_ result: CommandResult) throws -> [Int] {
      let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
      return try #require((object as? [String: Any])?["ids"] as? [Int])
    }
    #expect(try ids(chat[0]) == ids(chat[1]) && ids(chat[0]) == ids(chat[2]))
  }

  /// Every type; rows of 32 and 48 columns fill no block of 256, and that is said.
  @Test(arguments: ["bf16", "f16", "q8_0", "q4_0", "q5_1", "q4_k", "int8"])
  func toAFileOfAType(name: String) throws {
    defer { pair.remove() }
    let result = try CommandProcess(
      ["convert", pair.target.path, file.path, "--weights", name, "--head-weights", "f16"]
    ).wait()
    #expect(result.status == 0, "\(result.errors)")
    // 48 columns fill no block at all.
    let isFloat = ["bf16", "f16"].contains(name)
    #expect(result.errors.contains("rows that don't fill blocks") == !isFloat)
    _ = try generate(file)
    let inspected = try speculate("inspect", file.path, "--tensors")
    #expect(inspected.status == 0, "\(inspected.errors)")
    #expect(inspected.output.contains("token_embd.weight"))
  }

  @Test func filesAreNotLost() throws {
    defer { pair.remove() }
    func write(_ more: String...) throws -> CommandResult {
      try CommandProcess(["convert", pair.target.path, file.path, "--weights", "f32"] + more)
        .wait()
    }
    #expect(try write().status == 0)
    let before = try Data(contentsOf: file)
    #expect(
      try write().errors.hasSuffix(
        "\(file.path): exists already; give another file, or --force to replace it\n"))
    let itself = try CommandProcess(
      ["convert", file.path, file.path, "--weights", "q8_0", "--force"]
    ).wait()
    #expect(
      itself.errors.hasSuffix(
        "\(file.path) is the source \(file.path): give a destination apart from it\n"),
      "\(itself.errors)")
    #expect(try Data(contentsOf: file) == before)
    #expect(try write("--force").status == 0)
    let name = try CommandProcess(
      ["convert", pair.target.path, output.path, "--weights", "f32", "--to", "gguf"]
    ).wait()
    #expect(name.errors.hasSuffix("must end in .gguf; give another destination\n"))
    let half = try speculate("convert", pair.target.path, output.path, "--weights", "f16")
    #expect(
      half.errors == "error: f16 is a type of GGUF files only: give --to gguf, or bf16\n")
    let around = try FileManager.default.contentsOfDirectory(atPath: pair.folder.path).sorted()
    #expect(around == ["drafter", "model.gguf", "target"])
  }

  /// Blocks of GGUF files hold a folder's weights as well, while loading or converted.
  @Test(arguments: ["q4_k", "q6_k", "q4_1"]) func foldersInBlocks(name: String) throws {
    defer { pair.remove() }
    #expect(try convert("--weights", name).status == 0)
    let converted = try generate(output)
    #expect(try converted == generate(pair.target, ["--weights", name]))
    #expect(try speculate("inspect", output.path).status == 0)
  }

  /// Scales and values that don't belong together.
  @Test func damagedIntegersAreAnError() throws {
    defer { pair.remove() }
    #expect(try convert("--weights", "int8").status == 0)
    let file = output.appending(path: "model.safetensors")
    var bytes = try Data(contentsOf: file)
    // Without scales the integers mean nothing.
    let scale = try #require(bytes.range(of: Data("q_proj.weight_scale".utf8)))
    bytes.replaceSubrange(scale, with: Data("q_proj.weight_scalx".utf8))
    try bytes.write(to: file)
    let result = try CommandProcess([
      "generate", "--target", output.path, "--drafter", "none", "--prompt", "x",
    ]).wait()
    #expect(result.status == 1)
    #expect(result.errors.contains("must be F16 of shape [32, 1], the scales of"))
  }
}
