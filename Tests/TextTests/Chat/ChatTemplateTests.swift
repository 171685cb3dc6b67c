import Files
import Foundation
import Testing
import Text

/// The template language, on small templates.
@Suite struct ChatTemplateTests {
  private func text(
    _ template: String, _ line: String = #"{"messages":[{"role":"user","content":"Hi"}]}"#,
    tokens: [String: String] = [:], generates: Bool = true
  ) throws -> String {
    guard case .chat(let conversation) = try PromptLine(line).content else { return "" }
    return try ChatTemplate(source: template, name: "t", specialTokens: tokens).render(
      conversation, addsGenerationPrompt: generates, now: JinjaOracle.now)
  }

  @Test(arguments: TemplateSamples.all)
  func samples(sample: TemplateSamples.Sample) throws {
    #expect(try text(sample.template) == sample.expected)
  }

  /// The texts that the samples expect are Jinja2's.
  @Test func samplesAreJinjas() throws {
    let variables = #"{"messages":[],"tools":null,"documents":null}"#
    let cases = TemplateSamples.all.map {
      JinjaOracle.Case(template: $0.template, variables: variables)
    }
    guard let outcomes = try JinjaOracle.render(cases) else { return }
    for (sample, outcome) in zip(TemplateSamples.all, outcomes) {
      #expect(outcome.text == sample.expected, "\(sample.template): \(outcome.error ?? "")")
    }
  }

  @Test func aConversationIsWritten() throws {
    let template = """
      {{ bos_token }}{% for m in messages %}
      <{{ m.role }}>{{ m['content'] | trim }}</{{ m.role }}>
      {% endfor %}
      {% if add_generation_prompt %}<assistant>{% endif %}
      """
    let line = """
      {"messages":[{"role":"system","content":" Be brief. "},{"role":"user","content":"1 < 2?"}]}
      """
    let chat = "<s>\n<system>Be brief.</system>\n<user>1 < 2?</user>\n"
    #expect(
      try text(template, line, tokens: ["bos_token": "<s>"])
        == chat.replacing("<s>\n", with: "<s>") + "<assistant>")
    #expect(
      try text(template, line, generates: false)
        == "<system>Be brief.</system>\n<user>1 < 2?</user>\n")
    let conversation = Conversation(system: " Be brief. ", user: "1 < 2?")
    #expect(
      try ChatTemplate(source: template, name: "t").render(
        conversation, addsGenerationPrompt: true, now: JinjaOracle.now)
        == "<system>Be brief.</system>\n<user>1 < 2?</user>\n<assistant>")
  }

  @Test func aConversationGrows() throws {
    let template = try ChatTemplate(
      source:
        "{% for m in messages %}{{ m.role }}={{ m.content }};{% endfor %}{{ tools | tojson }}",
      name: "t")
    func text(_ conversation: Conversation) throws -> String {
      try template.render(conversation, addsGenerationPrompt: true, now: JinjaOracle.now)
    }
    var conversation = Conversation(messages: [.system("s"), .user("a")])
    #expect(try text(conversation) == "system=s;user=a;null")
    conversation.append(.assistant("b"))
    conversation.append(.init(role: "tool", content: "c"))
    #expect(try text(conversation) == "system=s;user=a;assistant=b;tool=c;null")
    let tools = [#"{"name":"z","arguments":{"y":1,"x":[]}}"#, "{}"]
    #expect(
      try text(Conversation(messages: [.user("a")], tools: tools))
        == #"user=a;[{"name": "z", "arguments": {"y": 1, "x": []}}, {}]"#)
    #expect(try text(Conversation(tools: [])) == "null")
    #expect(
      throws: SpeculateError("tool 2 is not a JSON object; describe a function by one")
    ) { try Conversation(tools: ["{}", "[]"]) }
    #expect(throws: SpeculateError.self) { try Conversation(tools: ["{"]) }
  }

  @Test func toolsAndOptionsReachTheTemplate() throws {
    let line = #"""
      {"messages":[{"role":"user","content":"Hi","thinking":"hm"}],
       "tools":[{"z":1,"a":[1.0,2e1,-0,null]}],"chat_template_kwargs":{"mood":"calm"}}
      """#.replacing("\n", with: " ")
    #expect(
      try text(
        "{{ tools[0] | tojson }} {{ mood }} {{ messages[0].reasoning_content }} {{ documents }}",
        line) == #"{"z": 1, "a": [1.0, 20.0, 0, null]} calm hm None"#)
    #expect(try text("{{ tools is none }} {{ mood is defined }}") == "True False")
  }

  @Test(arguments: [
    ("{{ x", 1, "the tag has no end: add '}}'"),
    ("\n\n{% if x", 3, "the tag has no end: add '%}'"),
    ("a\n{# b", 2, "the comment has no end: add '#}'"),
    ("{% raw %}", 1, "'{% raw %}' has no '{% endraw %}'"),
    ("{% if x %}\n", 1, "'if' has no '{% endif %}'"),
    ("{% for x in y %}{% if x %}{% endfor %}", 1, "there is no statement 'endfor'"),
    ("{% for x in y %}{% else %}{% break %}{% endfor %}", 1, "'break' stands outside a loop"),
    ("{% endif %}", 1, "there is no statement 'endif'"),
    ("{% block x %}{% endblock %}", 1, "the statement 'block' is not supported"),
    ("\n{% wrong %}", 2, "there is no statement 'wrong'"),
    ("{{ }}", 1, "unexpected '}}', expected an expression"),
    ("{{ a b }}", 1, "unexpected 'b', expected '}}'"),
    ("{{ (1 }}", 1, "unexpected '}', expected ')'"),
    ("{{ 1 ? 2 }}", 1, "unexpected character '?'"),
    ("{{ 'a }}", 1, "the string has no closing '"),
    (#"{{ '\x' }}"#, 1, #"'\x' is no character's code"#),
    ("{{ 99999999999999999999 }}", 1, "the number 99999999999999999999 is too large"),
    ("{% set true = 1 %}", 1, "can't assign to 'true'"),
    ("{% include 'x' %}", 1, "the statement 'include' is not supported"),
    ("{% import 'x' as y %}", 1, "the statement 'import' is not supported"),
    ("{% extends 'x' %}", 1, "the statement 'extends' is not supported"),
    ("{% do x %}", 1, "the statement 'do' is not supported"),
    ("{% call f %}{% endcall %}", 1, "'call' needs a call"),
    ("{% call(x) f() %}", 1, "'call' has no '{% endcall %}'"),
    ("{{ f(*a, *b) }}", 1, "'*' stands twice in a call"),
    ("{{ f(**a, b=1) }}", 1, "an argument stands behind '**'"),
    (#"{{ '\N{NO SUCH SIGN}' }}"#, 1, #"'\N' is not followed by the name of a character"#),
    ("{{ f(a=1, 2) }}", 1, "an argument without a name stands behind one with a name"),
  ])
  func mistakesInTemplates(template: String, line: Int, message: String) {
    #expect(throws: SpeculateError("t: template line \(line): \(message)")) {
      _ = try ChatTemplate(source: template, name: "t")
    }
  }

  @Test(arguments: [
    ("{{ missing.x }}", 1, "'missing' is undefined"),
    ("a\n{{ messages[0].no.x }}", 2, "a 'dict' has no attribute 'no'"),
    ("{{ messages[5]['role'] }}", 1, "a 'list' has no such item"),
    (
      "{{ raise_exception('Only\nuser roles!') }}", 1,
      "the template refuses this: Only user roles!"
    ),
    ("\n\n{{ 1 + 'a' }}", 3, "'+' is not possible between a 'int' and a 'str'"),
    ("{{ 'a' + missing }}", 1, "'missing' is undefined"),
    ("{{ 1 // 0 }}", 1, "division by zero"),
    ("{{ 1 | nothing }}", 1, "there is no filter 'nothing'"),
    ("{{ 1 is nothing }}", 1, "there is no test 'nothing'"),
    ("{{ 'a'() }}", 1, "a 'str' can't be called"),
    ("{% for x in 5 %}{% endfor %}", 1, "a 'int' can't be iterated"),
    ("{% set a, b = [1] %}", 1, "1 values can't be assigned to 2 names"),
    ("{% set a.b = 1 %}", 1, "'a' is no namespace, so nothing can be assigned to its parts"),
    (
      "{{ messages.append(1) }}", 1,
      "'append' would change a 'list', which templates must not"
    ),
    ("{{ 1 < 'a' }}", 1, "'<' is not possible between a 'int' and a 'str'"),
    ("{{ missing | tojson }}", 1, "'missing' is undefined"),
    ("{{ range | tojson }}", 1, "a value of type 'function' can't be written as JSON"),
    ("{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}", 1, "'f' takes at most 1 arguments, not 2"),
    ("{% macro f(a) %}{% endmacro %}{{ f(b=2) }}", 1, "'f' can't be given 'b'"),
    ("{{ 'a' | replace('a') }}", 1, "'replace' needs 'new'"),
    ("{{ 9223372036854775807 + 1 }}", 1, "a whole number is too large"),
    ("{{ range(1000000) }}", 1, "a 'range' holds more than 100000 numbers"),
    ("{{ {[1]: 2} }}", 1, "a 'list' can't be a key"),
    (
      "{{ [1] | map('string') }}", 1, "a generator has no text: put '| list' behind its filter"
    ),
    ("{{ ([1] | map('string')) | length }}", 1, "a 'generator' has no length"),
    ("{{ [1] | wordwrap }}", 1, "the filter 'wordwrap' is not supported"),
    ("{{ [1] | random }}", 1, "the filter 'random' is not supported"),
    ("{{ namespace(_a=1) }}", 1, "a namespace's attribute can't begin with '_', as '_a' does"),
    ("{% macro f() %}{% endmacro %}{% call f() %}{% endcall %}", 1, "'f' can't be given 'caller'"),
    (
      "{% for x in [1] %}{{ loop([]) }}{% endfor %}", 1,
      "a loop that calls itself has 'recursive' behind what it visits"
    ),
    ("{{ '{}'.format() }}", 1, "'format' is not given a value for field 0"),
    (
      "{{ '{} {0}'.format(1) }}", 1,
      "'format' counts fields by itself or by their numbers, not both"
    ),
    ("{{ '{'.format(1) }}", 1, "a '{' of 'format' stands alone"),
    ("{{ '{:d}'.format('a') }}", 1, "a text can't be written in this format"),
    ("{{ '{:q}'.format(1) }}", 1, "'q' is no format"),
    ("{{ '%d' % 'a' }}", 1, "'%d' is not possible for a 'str'"),
    ("{{ '%s%s' % 1 }}", 1, "a text has more '%' than there are values"),
    ("{{ '%s' % (1, 2) }}", 1, "a text has fewer '%' than there are values"),
  ])
  func mistakesInRendering(template: String, line: Int, message: String) {
    #expect(throws: SpeculateError("t: template line \(line): \(message)")) {
      _ = try text(template)
    }
  }
}
