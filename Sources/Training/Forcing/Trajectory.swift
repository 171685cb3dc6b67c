package import Files

/// How a target guesses its own greedy response by Jacobi iteration, block by block.
///
/// The response is cut into blocks behind the prompt; the last one may be shorter. Each was iterated
/// behind the true text before it, so that a block's guesses depend on nothing but that text.
package struct Trajectory: Sendable, Equatable {
  /// Prompt and continuation, the fixed points of all blocks.
  package var response: Response
  package var blockSize: Int
  /// The guesses of each block before its fixed point, the first guess first, each of the block's
  /// length: [blocks][guesses][tokens].
  package var guesses: [[[Token]]]

  package init(response: Response, blockSize: Int, guesses: [[[Token]]]) {
    self.response = response
    self.blockSize = blockSize
    self.guesses = guesses
  }

  /// Where each block lies among the response's tokens.
  package var blocks: [Range<Int>] { Self.blocks(of: response, size: blockSize) }

  /// Passes that all blocks took to their fixed points, the one that confirms it not counted.
  package var passes: Int { guesses.reduce(0) { $0 + $1.count } }

  package static func blocks(of response: Response, size: Int) -> [Range<Int>] {
    stride(from: response.promptLength, to: response.tokens.count, by: size).map {
      $0..<min($0 + size, response.tokens.count)
    }
  }

  /// The first guess of a block, as ``JacobiStrategy`` begins one without a match of earlier text: the
  /// end of the text once more.
  ///
  /// - Parameter text: The tokens before the block, at least one.
  static func firstGuess(behind text: ArraySlice<Token>, count: Int, size: Int) -> [Token] {
    (0..<count).map { text[text.endIndex - 1 - (size - 1 - $0) % text.count] }
  }

  /// The block's state whose wrong suffix is nearest to a share of the block; of two the earlier.
  ///
  /// The wrong suffix is what stands behind the tokens that agree with the fixed point from the
  /// block's beginning on. The fixed point has none.
  ///
  /// - Parameter share: 0 to 1.
  /// - Returns: The state's tokens and how many agree.
  func state(ofBlock index: Int, wrongShare share: Double) -> (tokens: [Token], agreeing: Int) {
    let fixed = Array(response.tokens[blocks[index]])
    let states = (guesses[index] + [fixed]).map { tokens in
      (tokens: tokens, agreeing: zip(tokens, fixed).prefix { $0 == $1 }.count)
    }
    func distance(_ agreeing: Int) -> Double {
      abs(Double(fixed.count - agreeing) / Double(fixed.count) - share)
    }
    return states.min { distance($0.agreeing) < distance($1.agreeing) } ?? (fixed, fixed.count)
  }
}

/// What trajectories depend on beside their numbers.
package struct TrajectorySettings: ShardSettings {
  /// What the responses depend on, the target among it.
  package var responses: ResponseSettings
  package var blockSize: Int

  package init(responses: ResponseSettings, blockSize: Int) {
    self.responses = responses
    self.blockSize = blockSize
  }

  package var named: [String: String] {
    var settings = RunSettings(responses.named)
    settings.note("block", blockSize)
    return settings.values
  }
}

package typealias TrajectoryStore = ShardStore<Trajectory>

extension Trajectory: ShardElement {
  package typealias Settings = TrajectorySettings

  package static var kind: ShardKind {
    ShardKind(magic: "SPTRAJE1", name: "trajectories", command: "speculate force data")
  }

  /// Document, block size, how many follow; prompt length, token count, tokens; and for each block
  /// how many guesses it has, and their tokens.
  package var numbers: [Int32] {
    var body = [Int32(response.promptLength), Int32(response.tokens.count)] + response.tokens
    for states in guesses {
      body.append(Int32(states.count))
      for state in states { body += state }
    }
    return [Int32(response.document), Int32(blockSize), Int32(body.count)] + body
  }

  package init?(numbers: [Int32]) {
    guard numbers.count >= 5, numbers[0] >= 0, numbers[1] >= 1, numbers[3] >= 0,
      numbers[4] >= numbers[3], numbers.count - 5 >= Int(numbers[4])
    else { return nil }
    let end = 5 + Int(numbers[4])
    let response = Response(
      tokens: Array(numbers[5..<end]), promptLength: Int(numbers[3]), document: Int(numbers[0]))
    self.init(response: response, blockSize: Int(numbers[1]), guesses: [])
    var rest = numbers[end...]
    for block in blocks {
      guard let count = rest.popFirst(), count >= 0, Int(count) * block.count <= rest.count else {
        return nil
      }
      guesses.append(
        (0..<Int(count)).map { index in
          Array(rest.dropFirst(index * block.count).prefix(block.count))
        })
      rest = rest.dropFirst(Int(count) * block.count)
    }
    guard rest.isEmpty else { return nil }
  }

  /// Tokens of all guesses.
  package var tokenCount: Int { guesses.reduce(0) { $0 + $1.reduce(0) { $0 + $1.count } } }
}
