import Files
import Speculate

/// What `POST /tokenize` asks for: the ids of a text, or of a chat.
enum TokenizeRequest {
  case text(String, addsSpecial: Bool)
  case chat(ChatMessages)

  init(_ fields: RequestFields) throws {
    if fields.node("messages") != nil {
      self = .chat(try ChatMessages(fields))
      return
    }
    // llama.cpp calls it "content", vLLM "prompt".
    guard let text = try fields.text("prompt") ?? fields.text("content") else {
      throw fields.missing("prompt", "a text, or \"messages\"")
    }
    self = .text(text, addsSpecial: try fields.flag("add_special_tokens") ?? true)
  }
}

/// What `POST /detokenize` asks for: the text of ids.
struct DetokenizeRequest {
  let tokens: [Token]

  init(_ fields: RequestFields, vocabulary: Int) throws {
    guard let elements = try fields.list("tokens") else { throw fields.missing("tokens", "ids") }
    tokens = try CompletionRequest.ids(elements, "tokens", vocabulary: vocabulary)
  }
}
