import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Training

/// What a run resumes from is what it wrote, or it is told.
@Suite struct CheckpointTests {
  /// A run that was stopped after four of its six steps, with a checkpoint of each.
  private func stopped(
    _ folder: TemporaryFolder
  ) throws -> (options: PretrainOptions, checkpoint: URL, previous: URL) {
    var options = try PretrainRecipeTests.options(folder, output: "run")
    options.checkpointSeconds = 0
    try PretrainRecipeTests.run(options, stopAfter: 4)
    return (
      options, options.output.appending(path: "checkpoint.safetensors"),
      options.output.appending(path: "checkpoint.previous.safetensors")
    )
  }

  /// Overwrites 64 bytes with zeros.
  private func damage(_ url: URL, at offset: Int) throws {
    var data = try Data(contentsOf: url)
    data.replaceSubrange(offset..<offset + 64, with: Data(count: 64))
    try data.write(to: url)
  }

  @Test(arguments: [0, 300, 20_000])
  func `a damaged checkpoint gives way to the one before it`(offset: Int) throws {
    let folder = try TemporaryFolder()
    let whole = try PretrainRecipeTests.options(folder, output: "whole")
    try PretrainRecipeTests.run(whole)
    let (options, checkpoint, previous) = try stopped(folder)
    let before = try Data(contentsOf: previous)
    try damage(checkpoint, at: offset)
    let recipe = try PretrainRecipe(options)
    #expect(recipe.resumedStep < 4)
    #expect(
      recipe.remarks == [
        "\(checkpoint.path) was damaged: going on from the copy before it, of step "
          + "\(recipe.resumedStep)"
      ])
    #expect(try Data(contentsOf: checkpoint) == before)
    #expect(try recipe.run(shouldStop: { false }, report: { _ in }))
    #expect(
      try TinyTraining.tensors(checkpoint)
        == TinyTraining.tensors(whole.output.appending(path: "checkpoint.safetensors")))
  }

  @Test func `a damaged checkpoint without another is told in a line`() throws {
    let folder = try TemporaryFolder()
    let (options, checkpoint, previous) = try stopped(folder)
    try damage(checkpoint, at: 20_000)
    try damage(previous, at: 20_000)
    let error = SpeculateError(
      "\(checkpoint.path) is damaged: it isn't what was written; delete it and start again")
    #expect(throws: error) { _ = try PretrainRecipe(options) }
    try FileManager.default.removeItem(at: previous)
    #expect(throws: error) { _ = try PretrainRecipe(options) }
    // A model that is to grow is looked at just as closely.
    var deep = try PretrainRecipeTests.options(folder, output: "deep")
    deep.initialModel = options.output
    #expect(throws: error) { _ = try PretrainRecipe(deep) }
    try FileManager.default.removeItem(at: checkpoint)
    #expect(try PretrainRecipe(options).resumedStep == 0)
  }

  @Test func `a damaged value that isn't finite is named`() throws {
    let folder = try TemporaryFolder()
    let (options, checkpoint, previous) = try stopped(folder)
    try FileManager.default.removeItem(at: previous)
    let file = try Checkpoint(file: checkpoint)
    let name = "second.model.norm.weight"
    let bytes = try file.withBytes(of: name) { Data($0) }
    var data = try Data(contentsOf: checkpoint)
    let place = try #require(data.range(of: bytes)).lowerBound
    withUnsafeBytes(of: Float.nan) { data.replaceSubrange(place + 8..<place + 12, with: $0) }
    try data.write(to: checkpoint)
    #expect(
      throws: SpeculateError(
        "\(checkpoint.path) is damaged: tensor \"\(name)\" holds NaN; delete it and start again")
    ) { _ = try PretrainRecipe(options) }
  }

  @Test func `a checkpoint without a fingerprint is refused`() throws {
    let folder = try TemporaryFolder()
    let (options, checkpoint, previous) = try stopped(folder)
    try FileManager.default.removeItem(at: previous)
    // As long as before: no offset changes.
    var data = try Data(contentsOf: checkpoint)
    let key = try #require(data.range(of: Data("\"fingerprint\"".utf8)))
    let end = try #require(data.range(of: Data("\"".utf8), in: key.upperBound + 2..<data.count))
    let rest = data[key.lowerBound...].prefix { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "}") }
    #expect(rest.count > end.lowerBound - key.lowerBound)
    let hasComma = data[key.lowerBound - 1] == UInt8(ascii: ",")
    let gone = (hasComma ? key.lowerBound - 1 : key.lowerBound)..<rest.endIndex + (hasComma ? 0 : 1)
    data.replaceSubrange(gone, with: Data(repeating: UInt8(ascii: " "), count: gone.count))
    try data.write(to: checkpoint)
    #expect(
      throws: SpeculateError(
        "\(checkpoint.path) has no fingerprint: it is damaged or of an earlier version; delete it and "
          + "start again")
    ) { _ = try PretrainRecipe(options) }
  }

  /// What stands there but can't be read is no checkpoint that somebody deleted.
  @Test(arguments: ["checkpoint.safetensors", "/nowhere/at/all"])
  func `a link that leads nowhere gives way to the copy before it`(end: String) throws {
    let folder = try TemporaryFolder()
    let whole = try PretrainRecipeTests.options(folder, output: "whole")
    try PretrainRecipeTests.run(whole)
    let (options, checkpoint, _) = try stopped(folder)
    try FileManager.default.removeItem(at: checkpoint)
    try FileManager.default.createSymbolicLink(atPath: checkpoint.path, withDestinationPath: end)
    let recipe = try PretrainRecipe(options)
    #expect(recipe.resumedStep > 0 && recipe.remarks.count == 1)
    #expect(try recipe.run(shouldStop: { false }, report: { _ in }))
    #expect(
      try TinyTraining.tensors(checkpoint)
        == TinyTraining.tensors(whole.output.appending(path: "checkpoint.safetensors")))
  }

  @Test func `a deleted checkpoint isn't brought back`() throws {
    let folder = try TemporaryFolder()
    let (options, checkpoint, previous) = try stopped(folder)
    try FileManager.default.removeItem(at: checkpoint)
    let recipe = try PretrainRecipe(options)
    #expect(recipe.resumedStep == 0 && recipe.remarks == [])
    #expect(!FileManager.default.fileExists(atPath: previous.path))
  }

  @Test func `values that aren't finite don't take the good checkpoint's place`() throws {
    let folder = try TemporaryFolder()
    let (options, checkpoint, _) = try stopped(folder)
    let good = try Data(contentsOf: checkpoint)
    let recipe = try PretrainRecipe(options)
    recipe.state.model.parameters.base[3] = .infinity
    #expect(
      throws: SpeculateError(
        "the parameters became infinite by step 4; \(checkpoint.path) holds a good step: go on from it "
          + "with a lower ‘learning rate’")
    ) { try recipe.save() }
    #expect(try Data(contentsOf: checkpoint) == good)
  }

  @Test func `values that are too great from the first step name where they come from`() throws {
    let folder = try TemporaryFolder()
    var options = try PretrainRecipeTests.options(folder, output: "first")
    try PretrainRecipeTests.run(options)
    options.initialModel = options.output
    options.output = folder.file("second")
    let recipe = try PretrainRecipe(options)
    recipe.state.model.parameters.base[3] = .infinity
    #expect(
      throws: SpeculateError(
        "the parameters became infinite by step 0; start again with a lower ‘learning rate’, or from "
          + "other weights than those of \(folder.file("first").path)")
    ) { try recipe.save() }
  }

  @Test func `held-out text is measured before the first step`() throws {
    let folder = try TemporaryFolder()
    var options = try PretrainRecipeTests.options(folder, output: "run")
    options.heldoutTokens = try folder.write(TinyTraining.tokens(16, seed: 2), to: "short.u16")
    #expect(
      throws: SpeculateError(
        "the held-out text \(folder.file("short.u16").path) has 16 tokens, too few for sequences of 16: give more of it or a smaller "
          + "‘length’")
    ) { _ = try PretrainRecipe(options) }
    #expect(!FileManager.default.fileExists(atPath: options.output.path))
  }

  @Test func `a step that is stopped within leaves the run as it was`() throws {
    let folder = try TemporaryFolder()
    let whole = try PretrainRecipeTests.options(folder, output: "whole", threads: 1)
    try PretrainRecipeTests.run(whole)
    var options = try PretrainRecipeTests.options(folder, output: "parts", threads: 1)
    options.microSequences = 1
    options.evaluateEvery = 0
    var asked = 0
    let recipe = try PretrainRecipe(options)
    let isDone = try recipe.run(
      shouldStop: {
        asked += 1
        return asked >= 9
      }, report: { _ in })
    #expect(!isDone && recipe.stepCount == 1)
    #expect(recipe.state.header.window == 5 && recipe.state.header.tokens == 80)
  }
}
