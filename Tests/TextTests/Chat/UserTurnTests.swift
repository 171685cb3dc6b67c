import Files
import Foundation
import TestSupport
import Testing
import Text

/// Where a user's message begins and ends, found out from what chat templates write.
@Suite struct UserTurnTests {
  private let tokenizer = MarkupTokenizer()

  private func turn(_ template: String, system: String? = nil) throws -> UserTurn {
    var settings = ChatSettings()
    settings.template = .source(template)
    return try ChatEncoder(
      directory: URL(filePath: "/nowhere"), tokenizer: tokenizer, settings: settings
    ).userTurn(system: system, now: .now)
  }

  private func ids(_ text: String) -> [Token] {
    tokenizer.encode(text, addSpecial: false, parseSpecial: true)
  }

  private func refusal(_ template: String) -> String {
    let error = #expect(throws: SpeculateError.self) { try turn(template) }
    return error?.description ?? ""
  }

  private let marked = """
    {% if messages[0].role != 'system' %}<u>system
    Help.<e>
    {% endif %}{% for m in messages %}<u>{{ m.role }}
    {{ m.content }}<e>
    {% endfor %}{% if add_generation_prompt %}<u>assistant
    {% endif %}
    """

  @Test func `a special token ends the message`() throws {
    #expect(
      try turn(marked)
        == UserTurn(opening: ids("<u>system\nHelp.<e>\n<u>user\n"), end: .token(301)))
    #expect(
      try turn(marked, system: "Sing.").opening == ids("<u>system\nSing.<e>\n<u>user\n"))
  }

  @Test func `plain text ends the message`() throws {
    let template = "{% for m in messages %}[INST] {{ m.content | trim }} [/INST] {% endfor %}"
    // The blank in front may belong to the message's first token, but not here.
    #expect(try turn(template) == UserTurn(opening: ids("[INST] "), end: .text("[/INST]")))
    let named = """
      {% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}\
      {% if add_generation_prompt %}
      bot: {% endif %}
      """
    #expect(try turn(named) == UserTurn(opening: ids("user: "), end: .text("bot:")))
    let first = "Q: {{ messages[0].content }}\n\nA:<u>"
    #expect(try turn(first) == UserTurn(opening: ids("Q: "), end: .text("A:")))
  }

  @Test func `nothing ends the message`() throws {
    #expect(
      try turn("Q: {{ messages[0].content }}") == UserTurn(opening: ids("Q: "), end: .nothing))
  }

  @Test func `templates that can't be cut are refused`() {
    #expect(
      refusal("{{ messages[0].content }}|{{ messages[0].content }}")
        == "the chat template: the template writes the user's message 2 times, and a target can write it "
        + "only where it stands once: give ‘data’ instead")
    #expect(
      refusal("{{ messages[0].content | upper }}!")
        == "the chat template: the template writes the user's message 0 times, and a target can write it "
        + "only where it stands once: give ‘data’ instead")
    #expect(
      refusal("{{ messages[0].content }}<e>")
        == "the chat template: the template writes nothing in front of the user's message, and a target "
        + "can't know that it is to write one: give ‘data’ instead")
    #expect(refusal("{% if %}").hasPrefix("the chat template"))
    #expect(refusal("{{ raise_exception('no') }}").contains("no"))
    let bare = ChatEncoder(directory: URL(filePath: "/nowhere"), tokenizer: tokenizer)
    let error = #expect(throws: SpeculateError.self) { try bare.userTurn(now: .now) }
    #expect(error?.description.contains("/nowhere") == true)
  }
}
