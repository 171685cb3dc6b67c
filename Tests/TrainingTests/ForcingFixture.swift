import Files
import Foundation
import Tensors
import Training

/// A tiny model with lively weights and a packed trajectory of random tokens.
struct ForcingFixture {
  let model: CausalTrainingModel
  let example: ForcingExample
  let trajectory: Trajectory
  let firstHead: FloatBuffer  // [vocabulary][hidden]
  let states: FloatBuffer  // [clean][hidden]

  static let vocabulary = TinyTokenizer.vocabulary

  /// Packs `count` response tokens behind `prompt` others; every block has each wrong share.
  init(
    prompt: Int, count: Int, blockSize: Int, schedule: NoiseSchedule, phases: [Int] = [0],
    seed: UInt64 = 3
  ) {
    let architecture = TinyTraining.architecture()
    model = TinyTraining.livelyModel(architecture, seed: seed)
    var random = KeyedRandom(seed: seed, key: "forcing")
    func token() -> Token { Token(random.next() % UInt64(Self.vocabulary)) }
    let response = Response(
      tokens: (0..<prompt + count).map { _ in token() }, promptLength: prompt)
    let guesses = Trajectory.blocks(of: response, size: blockSize).map { block in
      (0..<block.count).map { agreeing in
        block.enumerated().map { place, position in
          let truth = response.tokens[position]
          return place < agreeing
            ? truth
            : place == agreeing ? (truth + 1) % Token(Self.vocabulary) : token()
        }
      }
    }
    trajectory = Trajectory(response: response, blockSize: blockSize, guesses: guesses)
    example = ForcingExample(trajectory, schedule: schedule, phases: phases)
    func values(_ count: Int, _ scale: Float) -> FloatBuffer {
      let buffer = FloatBuffer(count: count)
      for i in 0..<count { buffer.base[i] = (Float(random.uniform()) - 0.5) * 2 * scale }
      return buffer
    }
    firstHead = values(Self.vocabulary * architecture.hiddenSize, 0.4)
    states = values(example.cleanCount * architecture.hiddenSize, 2)
  }

  func pass(trainsEmbedding: Bool = true, keepsTarget: Bool = false) -> ForcingPass {
    ForcingPass(
      model: model, maximumTokens: example.tokens.count,
      copies: example.noisy.count / example.copyCount, trainsEmbedding: trainsEmbedding,
      firstHead: keepsTarget ? firstHead : nil,
      rotary: RotaryLayer(width: 8, theta: 10_000, positions: example.tokens.count))
  }

  /// The log-probabilities of a row of logits, in double precision.
  static func logProbabilities(_ row: some RandomAccessCollection<Float>) -> [Double] {
    let top = Double(row.max() ?? 0)
    let shift = top + log(row.reduce(0.0) { $0 + exp(Double($1) - top) })
    return row.map { Double($0) - shift }
  }
}
