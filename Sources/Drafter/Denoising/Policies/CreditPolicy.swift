package import Files
import Foundation

/// Lets past passes vote: a row's most probable token earns credit by its probability, old credit fades, and
/// `l + α · ln(1 + C)` decides instead of `l` (CreditDecoding, arXiv 2510.06133). Within a block credit counts
/// from pass to pass. Across rounds, which costs no pass, credit is kept by position: what was said of positions
/// behind a rejected draft is a prior of the next block.
package struct CreditPolicy: NamedPolicy {
  package static let name = "credit"
  package static let about = "votes of earlier passes, or of the round before (CreditDecoding)"
  package static let settings = [
    DenoisingSetting("fusion", 0.7, 0...10, "α, the weight of credit among logits"),
    DenoisingSetting("power", 0.2, 0...10, "γ, to which a vote's probability is raised"),
    DenoisingSetting("decay", 0.8, 0...1, "β, what a pass leaves of earlier credit"),
    DenoisingSetting("threshold", 0.9, 0...2, "fused probability from which a mask is fixed"),
    DenoisingSetting(
      "across", 0, 0...1,
      "what a round leaves of credit; 0 forgets it, and above 0 a block takes one pass"),
    DenoisingSetting(
      "skip", 2, 0...64, isWhole: true, "positions behind a rejected draft whose credit is dropped"),
  ]

  private let (fusion, power, decay, threshold, across): (Float, Float, Float, Float, Float)
  private let skip: Int
  /// Credit by absolute position and token.
  private var credit: [Int: [Token: Float]] = [:]

  package init(_ values: DenoisingValues) {
    (fusion, power, decay) = (values["fusion"], values["power"], values["decay"])
    (threshold, across) = (values["threshold"], values["across"])
    skip = values.whole("skip")
  }

  package var sight: DenoisingSight { .logits }
  package var learns: Bool { across > 0 }

  /// The credit of a token at a position.
  package func credit(position: Int, token: Token) -> Float { credit[position]?[token] ?? 0 }

  package mutating func forgetText() { credit.removeAll() }

  package mutating func begin(_ round: DenoisingRound) -> BlockOpening {
    var opening = BlockOpening()
    guard across > 0 else {
      credit.removeAll(keepingCapacity: true)
      return opening
    }
    credit = credit.filter { $0.key >= round.position }
    for position in credit.keys.sorted() {
      for (token, value) in (credit[position] ?? [:]).sorted(by: { $0.key < $1.key }) {
        opening.biases.append(
          LogitBias(
            place: position - round.position, token: token, value: fusion * log(1 + value)))
      }
    }
    return opening
  }

  package mutating func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    guard across == 0 else { return .done }
    var fused: [Int: (token: Token, probability: Float)] = [:]
    for place in block.masked where block.distributions.indices.contains(place) {
      let row = block.distributions[place]
      let position = round.position + place
      if block.passes > 1 { fade(position, by: decay) }
      credit[position, default: [:]][row.token, default: 0] += pow(row.probability, power)
      fused[place] = Self.fused(row, credit[position] ?? [:], fusion: fusion)
    }
    let places = FixingRules.atLeast(threshold, of: block.masked) { fused[$0]?.probability ?? 0 }
    return .pass(
      DenoisingPlan(
        fix: places.map { PlacedToken($0, fused[$0]?.token ?? block.proposals[$0]) }))
  }

  /// The most probable token of `l + α · ln(1 + C)` and its probability, exactly, by those tokens alone that
  /// have credit: `Z' = Z + Σ e^l · ((1 + C)^α − 1)`.
  package static func fused(
    _ row: RowDistribution, _ credit: [Token: Float], fusion: Float
  ) -> (token: Token, probability: Float) {
    var sum: Float = 1
    var best: (token: Token, weight: Float) = (row.token, row.probability)
    if let value = credit[row.token] { best.weight *= pow(1 + value, fusion) }
    for (token, value) in credit.sorted(by: { $0.key < $1.key }) {
      guard let logit = row.logit(of: token) else { continue }
      let own = exp(logit - row.logSum)
      let weight = own * pow(1 + value, fusion)
      sum += weight - own
      if weight > best.weight || weight == best.weight && token < best.token {
        best = (token, weight)
      }
    }
    return (best.token, best.weight / sum)
  }

  private mutating func fade(_ position: Int, by share: Float) {
    credit[position] = credit[position]?.mapValues { $0 * share }
  }

  package mutating func observe(_ verdict: DenoisingVerdict) {
    let accepted = verdict.accepted
    let end = verdict.round.position + verdict.text.count
    credit = credit.filter { $0.key >= end }
    for position in credit.keys { fade(position, by: across) }
    for (place, row) in verdict.block.distributions.enumerated() where place > accepted + skip {
      let position = verdict.round.position + place
      guard position >= end else { continue }
      credit[position, default: [:]][row.token, default: 0] += across * pow(row.probability, power)
    }
  }
}
