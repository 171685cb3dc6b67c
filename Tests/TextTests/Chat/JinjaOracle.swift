import Foundation

/// Python's Jinja2 with the settings of transformers, to compare with.
enum JinjaOracle {
  /// A template and what it is given.
  struct Case: Encodable {
    var template: String
    /// A JSON object.
    var variables: String
    /// Whether the text is cut behind the last message's, to be continued.
    var continues = false
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

    class TemplateDict:
        def __call__(self, *args, **kwargs):
            return dict(*args, **kwargs)

    class TemplateNamespace(jinja2.utils.Namespace):
        def __init__(*args, **kwargs):
            self, args = args[0], args[1:]
            attributes = dict(*args, **kwargs)
            for name in attributes:
                TemplateNamespace.check(name)
            jinja2.utils.Namespace.__init__(self, attributes)

        def __setitem__(self, name, value):
            TemplateNamespace.check(name)
            jinja2.utils.Namespace.__setitem__(self, name, value)

        @staticmethod
        def check(name):
            if isinstance(name, str) and name.startswith("_"):
                raise jinja2.exceptions.SecurityError(name)

    environment.globals["dict"] = TemplateDict()
    environment.globals["namespace"] = TemplateNamespace
    mark = "CONTINUE_FINAL_MESSAGE_TAG "

    def seen(message):
        """A message as transformers gives it to templates."""
        message = {key: value for key, value in message.items() if value is not None}
        names = ["reasoning_content", "thinking", "reasoning"]
        reasoning = next((message[n] for n in names if message.get(n) is not None), None)
        if reasoning is not None:
            message = {"thinking": reasoning, **message, "reasoning_content": reasoning}
        return message

    def render(case):
        variables = json.loads(case["variables"])
        messages = [seen(message) for message in variables.get("messages", [])]
        variables["messages"] = messages
        template = environment.from_string(case["template"])
        if not case.get("continues"):
            return template.render(**variables)
        last = messages[-1]
        if isinstance(last["content"], list):
            final = last["content"][-1]["text"]
            last["content"][-1]["text"] += mark
        else:
            final = last["content"]
            last["content"] += mark
        text = template.render(**variables)
        if final.strip() not in text or mark.strip() not in text:
            raise ValueError("the final message doesn't appear in the chat")
        place = text.rindex(mark.strip())
        kept = text[place:place + len(mark)] == mark
        return text[:place] if kept else text[:place].rstrip()

    def outcome(case):
        try:
            return {"text": render(case)}
        except Exception as error:
            return {"error": repr(error)}

    print(json.dumps([outcome(case) for case in json.load(sys.stdin)]))
    """#
}
