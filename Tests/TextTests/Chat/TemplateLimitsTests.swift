import Foundation
import Testing
import Text

/// No template can hang, fill the memory or overflow the stack.
@Suite struct TemplateLimitsTests {
  private static func render(_ template: String) throws -> String {
    try ChatTemplate(source: template, name: "t").render(
      Conversation(user: "Hi"), addsGenerationPrompt: true, now: JinjaOracle.now)
  }

  /// What becomes of a template: its error, or the beginning of its text.
  private static func message(_ template: String) -> String {
    do {
      return "no error: \(try render(template).prefix(80))"
    } catch {
      return "\(error)"
    }
  }

  private static func repeated(_ text: String, _ count: Int = 50_000) -> String {
    String(repeating: text, count: count)
  }

  /// A value of which each level is there twice, with indents of megabytes.
  @Test func hugeIndentsAreRefused() {
    let doubled =
      "{% set n = namespace(x=[1]) %}{% for i in range(150) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
    let message = Self.message(doubled + "{{ n.x | tojson(indent=16000000) }}")
    #expect(message.contains("longer than 16777216 bytes"), "\(message)")
  }

  @Test(arguments: [
    // Nested expressions and statements.
    ("{{ \(repeated("("))1\(repeated(")")) }}", "nested deeper than 100 levels"),
    ("{{ \(repeated("["))\(repeated("]")) }}", "nested deeper than 100 levels"),
    ("{{ \(repeated("{'a':"))1\(repeated("}")) }}", "nested deeper than 100 levels"),
    ("{{ \(repeated("not ")) 1 }}", "nested deeper than 100 levels"),
    ("{{ \(repeated("-")) 1 }}", "nested deeper than 100 levels"),
    ("{{ 1 \(repeated("+ 1")) }}", "nested deeper than 100 levels"),
    ("{{ a\(repeated(".a")) }}", "nested deeper than 100 levels"),
    ("{{ a\(repeated("|f")) }}", "nested deeper than 100 levels"),
    ("{{ a\(repeated("()")) }}", "nested deeper than 100 levels"),
    ("{{ a\(repeated("[0]")) }}", "nested deeper than 100 levels"),
    ("{{ 1 \(repeated("if 1 else 1 ")) }}", "nested deeper than 100 levels"),
    ("{{ 1 \(repeated("or 1 ")) }}", "nested deeper than 100 levels"),
    (repeated("{% if 1 %}"), "nested deeper than 100 levels"),
    (repeated("{% for x in y %}"), "nested deeper than 100 levels"),
    ("{% set \(repeated("("))a\(repeated(")")) = 1 %}", "nested deeper than 100 levels"),
    (repeated("a", 1_100_000), "longer than 1048576 characters"),
    // Macros without an end.
    ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "macros call each other too deeply"),
    (
      "{% macro f(x=f()) %}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ g() }}",
      "macros call each other too deeply"
    ),
    // Loops and doublings without an end.
    (
      "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
      "too many steps"
    ),
    (
      "{% set n = namespace(x='a') %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
      "longer than 16777216 bytes"
    ),
    (
      "{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
      "too many steps"
    ),
    (
      "{% set n = namespace(x=1) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
        + "{{ n.x }}", "longer than 16777216 bytes"
    ),
    (
      "{% set n = namespace(x=1) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
        + "{{ n.x == n.x }}", "too many steps"
    ),
    (
      "{% set n = namespace(x=1) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
        + "{{ n.x | tojson }}", "longer than 16777216 bytes"
    ),
    (
      "{% set n = namespace(x=1) %}{% for i in range(999) %}{% set n.x = [n.x] %}{% endfor %}",
      "nested deeper than 200 levels"
    ),
    (
      "{% set n = namespace(x=1) %}{% for i in range(999) %}{% set n.x = {'a': n.x} %}{% endfor %}",
      "nested deeper than 200 levels"
    ),
    ("{{ 'a' * 99999999999 }}", "longer than 16777216 bytes"),
    ("{{ [1] * 99999999999 }}", "longer than 16777216 bytes"),
    ("{{ 'a' * 9223372036854775807 * 2 }}", "longer than 16777216 bytes"),
    ("{{ ('a' * 9999999) | replace('a', 'bcd') }}", "longer than 16777216 bytes"),
    ("{{ ('a' * 9999999) | replace('', 'bcd') }}", "longer than 16777216 bytes"),
    ("{{ 'a\n' | indent(9223372036854775807) }}", "longer than 16777216 bytes"),
    ("{{ (['\n'] * 99999) | join | indent(9999) }}", "longer than 16777216 bytes"),
    ("{{ ([1] * 9999) | tojson(indent=9999) }}", "longer than 16777216 bytes"),
    ("{{ 2 ** 99999999 }}", "a whole number is too large"),
    ("{{ range(-9223372036854775807, 9223372036854775807) }}", "a whole number is too large"),
    (
      "{{ range(9223372036854775807, 0, -9223372036854775807) }}",
      "no error: range(9223372036854775807, 0, -9223372036854775807)"
    ),
    ("{{ [1, 2][::9223372036854775807] }}", "no error: [1]"),
    ("{{ [1, 2][::-9223372036854775807] }}", "no error: [2]"),
    ("{{ [1, 2][-9223372036854775807:9223372036854775807] }}", "no error: [1, 2]"),
    ("{{ [1][-9223372036854775807] }}", "no error"),
    (
      "{% for i in range(9999) %}{{ 'a' * 9999 }}{% endfor %}", "longer than 16777216 bytes"
    ),
  ])
  func costsAreBounded(template: String, expected: String) {
    let message = Self.message(template)
    #expect(message.contains(expected), "\(template.prefix(80)): \(message)")
  }

  @Test(
    arguments: [
      ("{{ '{:99999999}'.format(1) }}", "longer than 16777216 bytes"),
      ("{{ '{:.99999999f}'.format(1) }}", "longer than 16777216 bytes"),
      ("{{ '%99999999d' % 1 }}", "longer than 16777216 bytes"),
      ("{{ '{:999999999999999999999}'.format(1) }}", "longer than 16777216 bytes"),
      ("{{ 'a'.center(99999999) }}", "longer than 16777216 bytes"),
      ("{{ 'a'.zfill(9223372036854775807) }}", "longer than 16777216 bytes"),
      ("{{ ('\\t' * 9999).expandtabs(9223372036854775807) }}", "longer than 16777216 bytes"),
      ("{{ [1] | batch(9223372036854775807, 0) | list }}", "too many steps"),
      ("{{ [1, 2] | batch(9223372036854775807) | list }}", "no error: [[1, 2]]"),
      ("{{ 'a'.center(-9223372036854775807 - 1) }}", "no error: a"),
      ("{{ '-a'.zfill(-9223372036854775807 - 1) }}", "no error: -a"),
      ("{{ 'a'.rjust(-9223372036854775807 - 1) }}", "no error: a"),
      ("{{ 'a' | truncate(-9223372036854775807 - 1) }}", "a whole number is too large"),
      ("{{ 'a\\tb'.expandtabs(-9223372036854775807 - 1) }}", "no error: ab"),
      ("{{ [1] | slice(9223372036854775807) | list }}", "too many steps"),
      (
        "{{ range(9223372036854775806, 9223372036854775807, 9)[:] }}", "a whole number is too large"
      ),
      (
        "{% for x in [[]] recursive %}{{ loop([[]]) }}{% endfor %}",
        "macros call each other too deeply"
      ),
      (
        "{% set n = namespace(x=1) %}{% for i in range(60) %}{% set n.x = namespace(a=n.x, b=n.x) %}"
          + "{% endfor %}{{ n }}", "longer than 16777216 bytes"
      ),
    ] as [(String, String)])
  func widthsAndCallsAreBounded(template: String, expected: String) {
    let message = Self.message(template)
    #expect(message.contains(expected), "\(template.prefix(80)): \(message)")
  }

  /// Namespaces that hold each other leave nothing that couldn't be freed.
  @Test func namespacesMayHoldEachOther() {
    let chain = """
      {% set n = namespace(last=namespace()) %}{% set m = n.last %}{% set m.first = n %}\
      {% for i in range(50000) %}{% set m = namespace(before=n.last) %}\
      {% set n.last = m %}{% endfor %}{{ n.last.before }}
      """
    #expect(Self.message(chain).contains("nested deeper than 200 levels"))
  }
}
