import Foundation
import Testing

/// Outputs that the command holds to a schema or a grammar.
@Suite struct ConstraintTests {
  private static let schema =
    #"{"type": "object", "properties": {"a": {"enum": ["x", "yy"]}, "n": {"type": "integer", "minimum": 1, "maximum": 9}}, "required": ["a", "n"]}"#

  private func run(_ pair: TinyPair, _ arguments: [String]) throws -> CommandResult {
    try CommandProcess(
      ["generate", "--prompt", "abc"] + arguments,
      environment: ["SPECULATE_WEIGHTS": pair.folder.path]
    ).wait()
  }

  private func object(_ text: some StringProtocol) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func everyWayWritesTheSameValidObject() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let file = pair.folder.appending(path: "schema.json")
    try Data(Self.schema.utf8).write(to: file)
    for temperature in ["0", "1"] {
      let options = ["--temperature", temperature, "--json"]
      let plain = try object(
        run(pair, ["--drafter", "none", "--json-schema", Self.schema] + options).output)
      let value = try object(plain["text"] as? String ?? "")
      #expect(["x", "yy"].contains(value["a"] as? String))
      #expect((1...9).contains(value["n"] as? Int ?? 0) && value.count == 2)
      #expect(plain["finish"] as? String == "end")
      for way in [
        [], ["--drafter", "suffix"], ["--drafter", "suffix", "--no-scaffold"],
        ["--draft-length", "5"], ["--decoder", "jacobi"], ["--recycling"],
      ] {
        let result = try run(pair, ["--json-schema", file.path] + way + options)
        #expect(result.errors == "")
        let other = try object(result.output)
        #expect(other["ids"] as? [Int] == plain["ids"] as? [Int], "\(way)")
        let forced = (other["statistics"] as? [String: Any])?["scaffold_tokens"] as? Int
        if way.contains("--no-scaffold") { #expect(forced == 0) }
        if way == ["--drafter", "suffix"] { #expect(forced ?? 0 > 0) }
      }
    }
  }

  @Test func grammarsAndObjects() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let file = pair.folder.appending(path: "answer.gbnf")
    try Data("root ::= (\"yes\" | \"no\") [.!]\n".utf8).write(to: file)
    let answer = try run(pair, ["--grammar", file.path, "--temperature", "1"])
    #expect(["yes.", "yes!", "no.", "no!"].contains(answer.output.dropLast()))
    let compared = try run(pair, ["--grammar", file.path, "--compare", "--repeats", "1"])
    #expect(compared.output.contains("identical yes"))
    // What the limit cuts is said to be cut.
    let long = pair.folder.appending(path: "long.gbnf")
    try Data("root ::= [ab]{50}".utf8).write(to: long)
    let cut = try run(pair, ["--grammar", long.path, "--max-tokens", "5"])
    #expect(cut.output.count == 6)
    #expect(
      cut.errors
        == "note: the output is not complete: ended by the token limit before its grammar let it end; raise --max-tokens\n"
    )
    let object = try run(pair, ["--json-object", "--max-tokens", "4"])
    #expect(object.status == 0 && object.output.first == "{")
  }

  @Test func mistakes() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let file = pair.folder.appending(path: "bad.gbnf")
    try Data("root ::= x".utf8).write(to: file)
    let schema = pair.folder.appending(path: "bad.json")
    try Data("[".utf8).write(to: schema)
    for (arguments, error) in [
      (
        ["--grammar", "/nowhere.gbnf"],
        "--grammar /nowhere.gbnf: there is no such file; check the path"
      ),
      (
        ["--grammar", pair.folder.path],
        "--grammar \(pair.folder.path): this is a folder; give a file"
      ),
      (
        ["--grammar", file.path],
        "\(file.path): the grammar has no rule \"x\", but another one names it"
      ),
      (
        ["--json-schema", schema.path],
        "\(schema.path) is not valid JSON at byte 1: the document ends where a value should stand; correct it"
      ),
      (
        ["--json-schema", #"{"properties": {"a": {"not": {}}}}"#],
        "--json-schema: #/properties/a/not is not supported; leave it out, or say it in words"
      ),
      (
        ["--json-object", "--grammar", file.path],
        "There are several grammars: give one of --json-schema, --grammar and --json-object"
      ),
      (
        ["--json-object", "--ignore-end"],
        "--ignore-end means nothing for an output that is held to a grammar: leave it out"
      ),
      (
        ["--json-object", "--trace", "t.jsonl"],
        "--trace records no grammar: leave it out, or the grammar"
      ),
      (
        ["--no-scaffold"],
        "--no-scaffold belongs to --json-schema or --grammar or --json-object: give it too"
      ),
      (
        ["--json-object", "--drafter", "none", "--scaffold"],
        "--scaffold means nothing with --drafter none: leave one of them out"
      ),
    ] {
      let result = try run(pair, arguments)
      #expect(result.status != 0 && result.output == "")
      #expect(result.errors.hasPrefix("error: \(error)"), "\(result.errors)")
    }
  }
}
