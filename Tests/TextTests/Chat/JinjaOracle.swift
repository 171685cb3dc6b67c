import Foundation

/// Python's Jinja2 with the settings of transformers, to compare with.
enum JinjaOracle {
  /// A template and what it is given.
  struct Case: Encodable {
    var template: String
    /// A JSON object.
    var variables: String
  }

  /// What Jinja2 made of it: a text, or else an error.
  struct Outcome: Decodable {
    var text: String?
    var error: String?
  }

  /// The time that `strftime_now` tells.
  static let now = Date(timeIntervalSince1970: 1_767_268_800)

  /// The outcomes of cases in order; nil, with a line that says so, where there is no Jinja2.
  static func render(_ cases: [Case]) throws -> [Outcome]? {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "speculate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let input = folder.appending(path: "cases")
    let output = folder.appending(path: "outcomes")
    try JSONEncoder().encode(cases).write(to: input)
    try Data().write(to: output)
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script]
    process.standardInput = try FileHandle(forReadingFrom: input)
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      print("skipped: there is no python3 with jinja2 3.1.6 to compare chat templates with")
      return nil
    }
    return try JSONDecoder().decode([Outcome].self, from: Data(contentsOf: output))
  }

  private static let script = #"""
    import datetime, json, sys
    import jinja2, jinja2.ext, jinja2.nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    assert jinja2.__version__ >= "3.1.6"

    class Generation(jinja2.ext.Extension):
        tags = {"generation"}

        def parse(self, parser):
            line = next(parser.stream).lineno
            body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
            call = self.call_method("same")
            return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

        def same(self, caller):
            return caller()

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                          sort_keys=sort_keys)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = (
        lambda format: datetime.datetime.fromtimestamp(1767268800).strftime(format))

    def outcome(case):
        try:
            template = environment.from_string(case["template"])
            return {"text": template.render(**json.loads(case["variables"]))}
        except Exception as error:
            return {"error": repr(error)}

    print(json.dumps([outcome(case) for case in json.load(sys.stdin)]))
    """#
}
