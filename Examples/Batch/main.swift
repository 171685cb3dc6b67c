// Completes several prompts at once: swift run Batch [target-folder] [drafter-folder]
import Speculate

let folders = CommandLine.arguments.dropFirst().map { URL(filePath: $0) }
let weights = URL(filePath: "Weights")
let generator = try BatchGenerator(
  target: folders.first ?? weights.appending(path: "target"),
  drafter: folders.isEmpty ? weights.appending(path: "drafter") : folders.dropFirst().first)

let prompts = ["func add(", "struct Point {", "import Foundation", "for index in "]
// All join the same rounds, and each gets what it would get alone.
let requests = try prompts.map {
  BatchRequest(
    prompt: try generator.encode($0), parameters: GenerationParameters(maximumTokens: 48))
}
let streams = try requests.map { try generator.submit($0) }
for (prompt, stream) in zip(prompts, streams) {
  print("> \(prompt)", terminator: "")
  for try await event in stream {
    switch event {
    case .token(let token): print(token.text, terminator: "")
    case .finished(let result): print("\n-- \(result.output.tokens.count) tokens")
    case .prompt: break
    }
  }
}
await generator.drain()
let metrics = generator.metrics
print("-- \(metrics.rounds) passes of the target for \(metrics.generationTokens) tokens")
