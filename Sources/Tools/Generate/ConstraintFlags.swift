import ArgumentParser
import Files
import Foundation
import Speculate

/// What outputs are held to.
struct ConstraintFlags: ParsableArguments {
  @Option(
    """
    Hold the output to values that a JSON schema allows: a file, or the schema itself, which begins \
    with a brace.
    """, value: "file|json", parsing: .unconditional)
  var jsonSchema: String?
  @Option(
    "Hold the output to the rules of a file in GBNF, from the rule 'root' on.", value: "file",
    parsing: .unconditional)
  var grammar: String?
  @Flag(help: "Hold the output to a JSON object.") var jsonObject = false

  var isGiven: Bool { jsonSchema != nil || grammar != nil || jsonObject }

  func validate() throws {
    guard [jsonSchema != nil, grammar != nil, jsonObject].count(where: \.self) <= 1 else {
      throw ValidationError(
        "There are several grammars: give one of --json-schema, --grammar and --json-object")
    }
  }

  /// - Throws: `SpeculateError` naming the file, and the line or keyword that can't be used.
  func constraint() throws -> Constraint? {
    if let jsonSchema {
      guard !jsonSchema.drop(while: \.isWhitespace).hasPrefix("{") else {
        return try Constraint(.jsonSchema(jsonSchema), name: "--json-schema")
      }
      return try Constraint(
        .jsonSchema(try text(of: jsonSchema, "--json-schema")), name: jsonSchema)
    }
    if let grammar {
      do {
        return try Constraint(.grammar(try text(of: grammar, "--grammar")))
      } catch let error as SpeculateError where !error.description.hasPrefix("--grammar") {
        throw SpeculateError("\(grammar): \(error.description)")
      }
    }
    return jsonObject ? try Constraint(.jsonObject) : nil
  }

  private func text(of path: String, _ option: String) throws -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw SpeculateError("\(option) \(path): there is no such file; check the path")
    }
    guard !isFolder.boolValue else {
      throw SpeculateError("\(option) \(path): this is a folder; give a file")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw SpeculateError("\(option) \(path): the file can't be read; check its permissions")
    }
    guard let text = fileText(data) else {
      throw SpeculateError("\(option) \(path): this is not UTF-8 text; convert it to UTF-8")
    }
    return text
  }
}
