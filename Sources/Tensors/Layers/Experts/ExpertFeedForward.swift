internal import Foundation

/// The weights of a mixture of experts.
///
/// How a pass runs through it is in `ExpertFeedForward+Forward.swift`.
package struct ExpertFeedForward: Sendable {
  /// `[experts][hidden]`.
  var router: PackedMatrix
  /// `[experts]`; nil where there is none.
  var routerBias: FloatBuffer?
  /// Experts that a row goes through.
  var chosen: Int
  var weighting: ExpertWeighting
  /// Parts of equal sizes and formats.
  var experts: [GatedFeedForward]
  /// The expert that every row goes through.
  var shared: GatedFeedForward?
  /// `[1][hidden]`: the sigmoid of its product multiplies the shared expert's output; nil for 1.
  var sharedGate: PackedMatrix?

  /// Width of the residual stream.
  var hidden: Int { router.columns }

  var matrices: [PackedMatrix] { common + experts.flatMap(\.matrices) }

  /// The matrices that every row goes through.
  private var common: [PackedMatrix] {
    [router] + (sharedGate.map { [$0] } ?? []) + (shared?.matrices ?? [])
  }

  /// Bytes of the matrices that a pass reads, as expected where every expert is as likely as the others
  /// and rows choose independently.
  func bytesRead(rows: Int) -> Double {
    let missed = pow(1 - Double(chosen) / Double(experts.count), Double(rows))
    let expert = experts[0].matrices.reduce(0) { $0 + $1.byteCount }
    return Double(common.reduce(0) { $0 + $1.byteCount })
      + Double(experts.count * expert) * (1 - missed)
  }

  /// Weights that one row is multiplied by.
  var weightsPerRow: Int {
    func weights(_ matrices: [PackedMatrix]) -> Int {
      matrices.reduce(0) { $0 + $1.rows * $1.columns }
    }
    return weights(common) + chosen * weights(experts[0].matrices)
  }

  /// The formats of the matrices that normed rows are multiplied with.
  var inputFormats: [WeightFormat] {
    ([router] + (sharedGate.map { [$0] } ?? [])).map(\.format) + expertFormats
      + (shared.map { [$0.gate.format, $0.up.format] } ?? [])
  }

  /// Those of the experts alone.
  var expertFormats: [WeightFormat] { [experts[0].gate.format, experts[0].up.format] }
}

/// What a mixture of experts computes of a pass's rows.
final class ExpertBuffers: Sendable {
  let logits: FloatBuffer  // [maximumRows][experts]
  let sharedLogits: FloatBuffer  // [maximumRows]; then e to minus them
  let plan: ExpertPlan
  let gathered: [ActivationRows]  // one a worker: [maximumRows][hidden]
  let inner: GatedBuffers  // one row a slot: [maximumRows · chosen][intermediate]
  let shared: GatedBuffers?  // one row a row: [maximumRows][its intermediate]
  let output: FloatBuffer  // of one expert: [maximumRows][hidden]
  let sum: FloatBuffer  // of the experts of a row: [maximumRows][hidden]

  private let experts: Int
  private let chosen: Int
  private let formats: [WeightFormat]

  init(_ part: ExpertFeedForward, maximumRows: Int, workers: Int) {
    experts = part.experts.count
    chosen = part.chosen
    formats = part.expertFormats
    logits = FloatBuffer(count: maximumRows * part.experts.count)
    sharedLogits = FloatBuffer(count: maximumRows)
    plan = ExpertPlan(
      maximumRows: maximumRows, experts: part.experts.count, chosen: part.chosen)
    gathered = (0..<workers).map { _ in
      ActivationRows(
        maximumRows: maximumRows, width: part.hidden, formats: Set(part.expertFormats))
    }
    inner = GatedBuffers(part.experts[0], maximumRows: maximumRows * part.chosen)
    shared = part.shared.map { GatedBuffers($0, maximumRows: maximumRows) }
    output = FloatBuffer(count: maximumRows * part.hidden)
    sum = FloatBuffer(count: maximumRows * part.hidden)
  }

  /// Whether another layer can use them.
  func fit(_ part: ExpertFeedForward) -> Bool {
    let fitsShared =
      part.shared.map { part in shared.map { $0.fit(part) } ?? false } ?? (shared == nil)
    return part.experts.count == experts && part.chosen == chosen && part.expertFormats == formats
      && inner.fit(part.experts[0]) && fitsShared
  }
}
