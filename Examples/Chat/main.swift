// A chat of three turns: swift run Chat [target-folder] [drafter-folder]
import Speculate
let folders = CommandLine.arguments.dropFirst().map { URL(filePath: $0) }
let weights = URL(filePath: "Weights")
// The embedded model writes code and has seen no chat, so it goes on from comments.
let comments = """
  {% for m in messages %}{% if m.role == 'user' %}// {{ m.content }}\nfunc {% else %}
  {{- m.content }}\n\n{% endif %}{% endfor %}
  """
var chat = ChatSettings()
if folders.isEmpty { chat.template = .source(comments) }
let generator = try TextGenerator(
  target: folders.first ?? weights.appending(path: "target"),
  drafter: folders.isEmpty ? weights.appending(path: "drafter") : folders.dropFirst().first,
  chat: chat)
let parameters = GenerationParameters(maximumTokens: 48, stopStrings: ["\n}\n"])
var conversation = Conversation()
for turn in ["Add two numbers.", "Now multiply them.", "And print the result."] {
  print("> \(turn)")
  conversation.append(.user(turn))
  let answer = try generator.chat(conversation, parameters: parameters) {
    print($0, terminator: "")
  }
  conversation.append(.assistant(answer.text))
  let passes = answer.statistics
  print("\n-- \(passes.targetPasses) passes of the target, \(passes.draftPasses) of the drafter")
}
