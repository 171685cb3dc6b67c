import Files
import Foundation
import TestSupport
import Testing
import Tensors
import Training

/// No run writes where something else lies, and none beside another.
@Suite struct OutputTests {
  private func complaint(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  /// Everything in a folder, by its name.
  private func contents(_ folder: URL) throws -> [String: Data] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    return Dictionary(
      uniqueKeysWithValues: names.map { name in
        (name, (try? Data(contentsOf: folder.appending(path: name))) ?? Data())
      })
  }

  @Test func `a target is never written over`() throws {
    let folder = try TemporaryFolder()
    var distill = try DistillRecipeTests.options(folder, output: "drafter", threads: 1)
    var force = try ForceRecipeTests.options(folder, output: "forced", threads: 1)
    let target = distill.target
    let link = folder.file("link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
    let before = try contents(target)
    for (output, relation) in [
      (target, "is"), (target.appending(path: "."), "is"), (link, "is"),
      (target.appending(path: "sub"), "lies in"), (folder.url, "holds"),
    ] {
      let expected =
        "\(output.path) \(relation) the ‘target’ \(target.path): give an ‘output’ apart from it"
      distill.output = output
      force.output = output
      #expect(complaint { _ = try DistillRecipe(distill) } == expected)
      #expect(complaint { _ = try ForceRecipe(force) } == expected)
      guard case .make(let answers) = distill.responses else { return }
      #expect(
        complaint {
          _ = try ResponseRecipe(target: target, workers: Workers(count: 1)).run(
            answers, folder: output, shouldStop: { false }, report: { _ in })
        } == expected)
    }
    #expect(try contents(target) == before)
  }

  @Test func `a finished model and another command's folder are refused`() throws {
    let folder = try TemporaryFolder()
    let distill = try DistillRecipeTests.options(folder, output: "one", threads: 1)
    var force = try ForceRecipeTests.options(folder, output: "one", threads: 1)
    var pretrain = try PretrainRecipeTests.options(folder, output: "other")
    let foreign = folder.file("other")
    try FileManager.default.createDirectory(at: foreign, withIntermediateDirectories: false)
    try Data("{}".utf8).write(to: foreign.appending(path: "config.json"))
    #expect(
      complaint { _ = try PretrainRecipe(pretrain) }
        == "\(foreign.path) holds \"config.json\", which 'pretrain' didn't begin: give another ‘output’"
    )
    force.output = foreign
    #expect(
      complaint { _ = try ForceRecipe(force) }
        == "\(foreign.path) holds \"config.json\", which 'force' didn't begin: give another ‘output’"
    )
    _ = try DistillRecipe(distill)
    let begun = "\(distill.output.path) was begun by 'distill': give another ‘output’"
    force.output = distill.output
    pretrain.output = distill.output
    #expect(complaint { _ = try ForceRecipe(force) } == begun)
    #expect(complaint { _ = try PretrainRecipe(pretrain) } == begun)
    #expect(complaint { _ = try DistillRecipe(distill) } == "no error")
    // Answers of a run belong to it.
    guard case .make(let answers) = distill.responses else { return }
    let recipe = try DistillRecipe(distill)
    _ = try recipe.respond(shouldStop: { false }, report: { _ in })
    let own = distill.output.appending(path: "responses")
    #expect(
      complaint {
        _ = try ResponseRecipe(target: distill.target, workers: Workers(count: 1)).run(
          answers, folder: own, shouldStop: { false }, report: { _ in })
      }.hasSuffix("which 'distill data' didn't begin: give another ‘output’"))
  }

  @Test func `two runs don't write one folder`() throws {
    let folder = try TemporaryFolder()
    let pid = ProcessInfo.processInfo.processIdentifier
    func taken(_ url: URL) -> String {
      "\(url.path): process \(pid) is writing it; wait for that one or give another ‘output’"
    }
    let pretrain = try PretrainRecipeTests.options(folder, output: "model")
    let distill = try DistillRecipeTests.options(folder, output: "drafter", threads: 1)
    let force = try ForceRecipeTests.options(folder, output: "forced", threads: 1)
    let first = (
      try PretrainRecipe(pretrain), try DistillRecipe(distill), try ForceRecipe(force)
    )
    #expect(complaint { _ = try PretrainRecipe(pretrain) } == taken(pretrain.output))
    #expect(complaint { _ = try DistillRecipe(distill) } == taken(distill.output))
    #expect(complaint { _ = try ForceRecipe(force) } == taken(force.output))
    withExtendedLifetime(first) {}
    guard case .make(let answers) = distill.responses else { return }
    let place = folder.file("answers")
    func recipe() throws -> ResponseRecipe {
      try ResponseRecipe(target: distill.target, workers: Workers(count: 1))
    }
    let data = try recipe()
    _ = try data.run(answers, folder: place, shouldStop: { true }, report: { _ in })
    #expect(
      complaint {
        _ = try recipe().run(answers, folder: place, shouldStop: { false }, report: { _ in })
      } == taken(place))
    withExtendedLifetime(data) {}
  }

  @Test func `what killed runs left is removed`() throws {
    let folder = try TemporaryFolder()
    let options = try DistillRecipeTests.options(folder, output: "drafter", threads: 1)
    _ = try DistillRecipeTests.run(options, DistillRecipeTests.Stops(train: 2))
    let left = [
      ".checkpoint.safetensors.k2.tmp", "responses/.manifest.json.1a.tmp",
      "heldout-responses/.0000000.responses.zst.b.tmp",
    ]
    for name in left { try Data([1]).write(to: options.output.appending(path: name)) }
    _ = try DistillRecipeTests.run(options)
    let names = try FileManager.default.subpathsOfDirectory(atPath: options.output.path)
    #expect(names.filter { $0.hasSuffix(".tmp") } == [])
  }
}
