// Completes a prompt: swift run Complete [prompt] [target-folder] [drafter-folder]
import Speculate

let arguments = CommandLine.arguments.dropFirst()
let prompt = arguments.first ?? "import Foundation\n\nstruct Point {"
let folders = arguments.dropFirst().map { URL(filePath: $0) }
let weights = URL(filePath: "Weights")
let generator = try TextGenerator(
  target: folders.first ?? weights.appending(path: "target"),
  drafter: folders.isEmpty ? weights.appending(path: "drafter") : folders.dropFirst().first)

print(prompt, terminator: "")
let result = try generator.generate(
  prompt, parameters: GenerationParameters(maximumTokens: 64),
  onText: { print($0, terminator: "") })
let statistics = result.statistics
print(
  "\n-- \(statistics.targetPasses) passes of the target, \(statistics.draftPasses) of the drafter")
