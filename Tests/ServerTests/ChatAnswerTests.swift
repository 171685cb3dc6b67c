import Files
import Foundation
import Server
import Speculate
import Testing

/// Answers of chats: the same text as a generator's, in OpenAI's shape.
@Suite struct ChatAnswerTests {
  private static let message = #""messages":[{"role":"user","content":"Hello"}]"#

  /// What the library gives for the same, alone.
  private func alone(
    _ sampling: SamplingParameters, maximumTokens: Int, stops: [String] = []
  ) throws -> GenerationResult {
    try TinyService.alone().chat(
      Conversation(user: "Hello"),
      parameters: GenerationParameters(
        sampling: sampling, maximumTokens: maximumTokens, stopStrings: stops), mode: .plain)
  }

  @Test func aWholeAnswerIsTheGenerators() async throws {
    let greedy = try alone(.greedy, maximumTokens: 40)
    let sampled = try alone(
      SamplingParameters(temperature: 0.8, topK: 40, topP: 0.9, minP: 0.01, seed: 7),
      maximumTokens: 40)
    try await withServer(TinyService.make()) { server in
      let answer = try server.chat("\(Self.message),\"temperature\":0,\"max_tokens\":40")
      #expect(answer.status == 200)
      #expect(answer.content == greedy.text)
      let json = try #require(answer.json)
      #expect(json["object"] == .string("chat.completion"))
      #expect(json["model"] == .string("tiny") && json["system_fingerprint"] == .string("fp_test"))
      #expect(json["id"]?.text?.hasPrefix("chatcmpl-") == true)
      #expect(json["usage"]?["prompt_tokens"] == .integer(greedy.prompt.count))
      #expect(json["usage"]?["completion_tokens"] == .integer(greedy.tokens.count))
      let choice = try #require(json["choices"]?.elements?.first)
      #expect(choice["message"]?["role"] == .string("assistant"))
      #expect(
        choice["finish_reason"]
          == .string(greedy.finishReason == .length ? "length" : "stop"))
      let other = try server.chat(
        "\(Self.message),\"temperature\":0.8,\"top_k\":40,\"top_p\":0.9,\"min_p\":0.01,\"seed\":7,"
          + "\"max_completion_tokens\":40")
      #expect(other.content == sampled.text)
    }
  }

  @Test func aStreamJoinsToTheWholeAnswer() async throws {
    let sampled = try alone(SamplingParameters(temperature: 1.5, seed: 11), maximumTokens: 120)
    try await withServer(TinyService.make()) { server in
      let events = try server.stream(
        "/v1/chat/completions",
        "\(Self.message),\"temperature\":1.5,\"seed\":11,\"max_tokens\":120,"
          + "\"stream_options\":{\"include_usage\":true},\"speculate\":{\"origins\":true}")
      #expect(events.last == "[DONE]")
      let chunks = try events.dropLast().map { try JSONValue(parsing: $0) }
      #expect(Set(chunks.map { $0["id"]?.text }).count == 1)
      let first = chunks[0]["choices"]?.elements?.first
      #expect(first?["delta"]?["role"] == .string("assistant"))
      let pieces = chunks.compactMap { $0["choices"]?.elements?.first?["delta"]?["content"]?.text }
      #expect(pieces.joined() == sampled.text)
      let last = chunks[chunks.count - 2]["choices"]?.elements?.first
      #expect(
        last?["finish_reason"] == .string(sampled.finishReason == .length ? "length" : "stop"))
      #expect(last?["delta"] == .object([:]))
      #expect(chunks.dropLast().allSatisfy { $0["usage"] == .null })
      let usage = chunks[chunks.count - 1]
      #expect(usage["choices"] == .array([]))
      #expect(usage["usage"]?["completion_tokens"] == .integer(sampled.tokens.count))
      let origins = chunks.flatMap { $0["speculate"]?["origins"]?.elements ?? [] }
      #expect(origins.compactMap { $0["text"]?.text }.joined() == sampled.text)
      let words = Set(origins.compactMap { $0["origin"]?.text })
      #expect(
        words.isSubset(of: ["target", "suffix", "drafter", "recycled", "jacobi", "scaffold"]))
      #expect(words.contains("target"))
    }
  }

  @Test func severalAnswersDifferAndTheFirstIsTheOneAlone() async throws {
    let sampled = try alone(SamplingParameters(temperature: 1, seed: 5), maximumTokens: 20)
    try await withServer(TinyService.make()) { server in
      let fields = "\(Self.message),\"n\":3,\"seed\":5,\"max_tokens\":20"
      let answer = try server.chat(fields)
      let choices = try #require(answer.json?["choices"]?.elements)
      #expect(choices.map { $0["index"] } == [.integer(0), .integer(1), .integer(2)])
      let texts = choices.compactMap { $0["message"]?["content"]?.text }
      #expect(texts[0] == sampled.text && Set(texts).count == 3)
      #expect(answer.json?["usage"]?["prompt_tokens"] == .integer(sampled.prompt.count))
      let chunks = try server.stream("/v1/chat/completions", fields).dropLast()
        .map { try JSONValue(parsing: $0) }
      var streamed = ["", "", ""]
      for chunk in chunks {
        let choice = try #require(chunk["choices"]?.elements?.first)
        let index = try #require(choice["index"]?.integer)
        streamed[index] += choice["delta"]?["content"]?.text ?? ""
      }
      #expect(streamed == texts)
    }
  }

  @Test func stopTextsNeverShowTheirBeginning() async throws {
    let whole = try alone(.greedy, maximumTokens: 60).text
    let characters = Array(whole)
    try #require(characters.count > 12)
    let stop = String(characters[8...10])
    let ended = try alone(.greedy, maximumTokens: 60, stops: [stop])
    try await withServer(TinyService.make()) { server in
      let fields =
        "\(Self.message),\"temperature\":0,\"max_tokens\":60,\"stop\":\(jsonLiteral(stop)),"
        + "\"logprobs\":true"
      let answer = try server.chat(fields)
      #expect(answer.content == ended.text && ended.finishReason == .stopString)
      let choice = try #require(answer.json?["choices"]?.elements?.first)
      #expect(choice["finish_reason"] == .string("stop"))
      let scored = choice["logprobs"]?["content"]?.elements ?? []
      let bytes = scored.flatMap { $0["bytes"]?.elements ?? [] }.compactMap { $0.integer }
      #expect(String(decoding: bytes.map(UInt8.init), as: UTF8.self) == ended.text)
      let pieces = try server.stream("/v1/chat/completions", fields).dropLast().compactMap {
        try JSONValue(parsing: $0)["choices"]?.elements?.first?["delta"]?["content"]?.text
      }
      #expect(pieces.joined() == ended.text)
    }
  }

  @Test func logProbabilitiesAreTheTargets() async throws {
    try await withServer(TinyService.make()) { server in
      let answer = try server.chat(
        "\(Self.message),\"temperature\":0,\"max_tokens\":10,\"logprobs\":true,\"top_logprobs\":3")
      let choice = try #require(answer.json?["choices"]?.elements?.first)
      let content = try #require(choice["logprobs"]?["content"]?.elements)
      #expect(content.count == 10)
      for token in content {
        let own = try #require(token["logprob"]?.number)
        let top = try #require(token["top_logprobs"]?.elements)
        #expect(top.count == 3)
        let all = top.compactMap { $0["logprob"]?.number }
        #expect(all == all.sorted(by: >) && own == all[0] && own <= 0)
        #expect(token["token"] == top[0]["token"] && token["bytes"] == top[0]["bytes"])
      }
      // Temperature and filters change the choice, not what the target thinks of it.
      let hot = try server.chat(
        "\(Self.message),\"temperature\":2,\"top_k\":5,\"seed\":1,\"max_tokens\":1,\"logprobs\":true,"
          + "\"top_logprobs\":3")
      let first = hot.json?["choices"]?.elements?.first?["logprobs"]?["content"]?.elements?.first
      #expect(first?["top_logprobs"] == content[0]["top_logprobs"])
    }
  }

  @Test func partsOfTextAndTheBeginningOfAnAnswer() async throws {
    try await withServer(TinyService.make()) { server in
      let plain = try server.chat("\(Self.message),\"temperature\":0,\"max_tokens\":8")
      let parts = try server.chat(
        #""messages":[{"role":"user","content":[{"type":"text","text":"Hello"}]}],"#
          + #""temperature":0,"max_tokens":8"#)
      #expect(parts.content == plain.content && plain.content != nil)
      let begun = #"{"role":"user","content":"Hello"},{"role":"assistant","content":"ab"}"#
      let tokens = try server.post(
        "/tokenize", "{\"messages\":[\(begun)],\"continue_final_message\":true}")
      let text = try server.post(
        "/detokenize", "{\"tokens\":\(tokens.json?["tokens"]?.line() ?? "")}")
      #expect(text.json?["prompt"] == .string("<s>[u]Hello</s>[a]ab"))
      let bare = try server.post(
        "/tokenize", "{\(Self.message),\"add_generation_prompt\":false}")
      #expect(
        try server.post("/detokenize", "{\"tokens\":\(bare.json?["tokens"]?.line() ?? "")}")
          .json?["prompt"] == .string("<s>[u]Hello</s>"))
    }
  }

  @Test func toolsReachTheTemplateAndArgumentsBecomeObjects() async throws {
    try await withServer(TinyService.make()) { server in
      let tool = #"{"type":"function","function":{"name":"weather"}}"#
      func prompt(_ fields: String) throws -> String {
        let tokens = try server.post("/tokenize", "{\(fields)}")
        return try server.post(
          "/detokenize", "{\"tokens\":\(tokens.json?["tokens"]?.line() ?? "")}"
        )
        .json?["prompt"]?.text ?? tokens.text
      }
      let described = try prompt("\(Self.message),\"tools\":[\(tool)]")
      #expect(described.contains(#""name": "weather""#))
      let silent = try prompt("\(Self.message),\"tools\":[\(tool)],\"tool_choice\":\"none\"")
      let plain = try prompt(Self.message)
      #expect(silent == plain && plain != described)
      let called = try prompt(
        #"""
        "messages":[{"role":"user","content":"w"},{"role":"assistant","content":null,"tool_calls":
        [{"id":"1","type":"function","function":{"name":"weather","arguments":"{\"city\": \"Bonn\"}"}}]},
        {"role":"tool","tool_call_id":"1","content":"sun"}]
        """#)
      #expect(called == "<s>[u]w</s>[a]<tool_call>Bonn</s>[t]sun</s>[a]")
    }
    try await withServer(TinyService.make(template: "{{ messages[0].content }}")) { server in
      let answer = try server.chat(
        "\(Self.message),\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]")
      #expect(answer.status == 400 && answer.error("param") == .string("tools"))
    }
  }

  @Test func aModelWithoutATemplateHasNoChats() async throws {
    try await withServer(TinyService.make(template: nil)) { server in
      let answer = try server.chat(Self.message)
      #expect(answer.status == 400 && answer.error("param") == .string("messages"))
      #expect(
        try server.ask("GET", "/v1/models").json?["data"]?.elements?.first?["speculate"]?["chat"]
          == .bool(false))
    }
  }
}
