import Files
import Foundation
import Server
import Speculate
import Testing

/// Answers of completions, with what evaluations ask for.
@Suite struct CompletionAnswerTests {
  @Test func everyFormOfPrompt() async throws {
    let generator = try TinyService.alone()
    let parameters = GenerationParameters(maximumTokens: 16)
    let alone = try ["Hello", "abc"].map { try generator.generate($0, parameters: parameters) }
    try await withServer(TinyService.make()) { server in
      let one = try server.complete(#""prompt":"Hello","temperature":0"#)
      #expect(one.content == alone[0].text)
      #expect(one.json?["object"] == .string("text_completion"))
      #expect(one.json?["id"]?.text?.hasPrefix("cmpl-") == true)
      for prompt in [
        #"["Hello","abc"]"#, "[\(alone[0].prompt),\(alone[1].prompt)]",
      ] {
        let answer = try server.complete("\"prompt\":\(prompt),\"temperature\":0,\"max_tokens\":16")
        let choices = try #require(answer.json?["choices"]?.elements)
        #expect(choices.compactMap { $0["text"]?.text } == alone.map(\.text))
        #expect(
          answer.json?["usage"]?["prompt_tokens"]
            == .integer(alone[0].prompt.count + alone[1].prompt.count))
      }
      let ids = try server.complete("\"prompt\":\(alone[0].prompt),\"temperature\":0,\"n\":2")
      #expect(
        ids.json?["choices"]?.elements?.compactMap { $0["text"]?.text }
          == [alone[0].text, alone[0].text])
    }
  }

  @Test func morePromptsThanFitAreAllAnswered() async throws {
    let settings = BatchSettings(maximumSequences: 2, queueLimit: 1)
    let generator = try TinyService.alone()
    let texts = (0..<20).map { "prompt \($0)" }
    let alone = try texts.map {
      try generator.generate($0, parameters: GenerationParameters(maximumTokens: 6)).text
    }
    try await withServer(TinyService.make(settings: settings)) { server in
      let list = texts.map { jsonLiteral($0) }.joined(separator: ",")
      let answer = try server.complete("\"prompt\":[\(list)],\"temperature\":0,\"max_tokens\":6")
      #expect(answer.json?["choices"]?.elements?.compactMap { $0["text"]?.text } == alone)
    }
  }

  @Test func logLikelihoodsOfPrompts() async throws {
    let alone = try TinyService.alone().generate(
      tokens: [1, 70, 80, 90, 100], parameters: GenerationParameters(maximumTokens: 3))
    try await withServer(TinyService.make()) { server in
      func scores(_ fields: String) throws -> (json: JSONValue, answer: TestServer.Answer) {
        let answer = try server.complete(fields)
        return (
          try #require(answer.json?["choices"]?.elements?.first?["logprobs"], "\(answer.text)"),
          answer
        )
      }
      let ids = "[1,70,80,90,100]"
      let (bare, answer) = try scores(
        "\"prompt\":\(ids),\"echo\":true,\"logprobs\":2,\"max_tokens\":0,\"temperature\":0")
      #expect(answer.json?["usage"]?["completion_tokens"] == .integer(0))
      let own = try #require(bare["token_logprobs"]?.elements)
      #expect(own.count == 5 && own[0] == .null)
      #expect(own.dropFirst().allSatisfy { ($0.number ?? 1) <= 0 })
      let top = try #require(bare["top_logprobs"]?.elements)
      #expect(top[0] == .null && (2...3).contains(top[1].members?.count ?? 0))
      // lm-eval asks for one token more, and leaves its score out.
      let (longer, _) = try scores(
        "\"prompt\":\(ids),\"echo\":true,\"logprobs\":2,\"max_tokens\":1,\"temperature\":0")
      #expect(longer["token_logprobs"]?.elements?.count == 6)
      #expect(
        longer["token_logprobs"]?.elements?.prefix(5).map { $0.number } == own.map { $0.number })
      // A greedy continuation's score in a prompt is the one that it had when it was generated.
      let (generated, _) = try scores(
        "\"prompt\":\(ids),\"logprobs\":1,\"max_tokens\":3,\"temperature\":0")
      let (echoed, _) = try scores(
        "\"prompt\":\([1, 70, 80, 90, 100] + alone.tokens),\"echo\":true,\"logprobs\":1,\"max_tokens\":0"
      )
      #expect(
        echoed["token_logprobs"]?.elements?.suffix(3).map { $0.number }
          == generated["token_logprobs"]?.elements?.map { $0.number })
      let offsets = (longer["text_offset"]?.elements ?? []).compactMap { $0.integer }
      #expect(offsets == offsets.sorted() && offsets[0] == 0)
    }
  }

  @Test func echoesBeginTheAnswer() async throws {
    let alone = try TinyService.alone().generate(
      "Hello", parameters: GenerationParameters(maximumTokens: 4))
    try await withServer(TinyService.make()) { server in
      let fields = #""prompt":"Hello","echo":true,"temperature":0,"max_tokens":4"#
      #expect(try server.complete(fields).content == "Hello" + alone.text)
      for more in ["", ",\"logprobs\":1"] {
        let pieces = try server.stream("/v1/completions", fields + more).dropLast().compactMap {
          try JSONValue(parsing: $0)["choices"]?.elements?.first?["text"]?.text
        }
        #expect(pieces.joined() == "Hello" + alone.text)
      }
      let bare = try server.complete(#""prompt":"Hello","echo":true,"max_tokens":0"#)
      #expect(bare.content == "Hello")
      #expect(bare.json?["choices"]?.elements?.first?["finish_reason"] == .string("length"))
    }
  }

  @Test func predictionsAndPenaltiesAndBiases() async throws {
    let alone = try TinyService.alone().generate(
      "Hello",
      parameters: GenerationParameters(
        sampling: SamplingParameters(
          repetitionPenalty: 1.2, presencePenalty: 0.5, frequencyPenalty: 1.5, logitBias: [70: 3]),
        maximumTokens: 20))
    try await withServer(TinyService.make()) { server in
      let plain = try server.complete(#""prompt":"Hello","temperature":0,"max_tokens":30"#)
      let text = try #require(plain.content)
      let predicted = try server.complete(
        #""prompt":"Hello","temperature":0,"max_tokens":30,"prediction":{"type":"content","content":"#
          + "\(jsonLiteral(text))}")
      #expect(predicted.content == text)
      let biased = try server.complete(
        #""prompt":"Hello","temperature":0,"max_tokens":5,"logit_bias":{"70":100}"#)
      // Token 70 is the byte 65.
      #expect(biased.content == "AAAAA")
      let penalized = try server.complete(
        #""prompt":"Hello","temperature":0,"max_tokens":20,"logit_bias":{"70":3},"#
          + #""frequency_penalty":1.5,"presence_penalty":0.5,"repetition_penalty":1.2"#)
      #expect(penalized.content == alone.text && penalized.content != text)
    }
  }
}
