import Drafter
import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Training

/// Training and serving agree: the trainer's packed blocks give the logits that `SingleDrafter`
/// gives for the exported drafter, block by block.
@Suite struct DrafterAgreementTests {
  @Test(arguments: [false, true], [1, 3])
  func `every block's logits are those of the serving drafter that sees tokens`(
    ownsEmbedding: Bool, layers: Int
  ) throws {
    for (blockSize, draftVocabulary, markovRank, shortest) in [
      (2, nil, nil, nil), (8, 30, 6, nil), (16, nil, 4, 5), (32, 20, nil, nil),
    ] as [(Int, Int?, Int?, Int?)] {
      try check(
        layers: layers, blockSize: blockSize, draftVocabulary: draftVocabulary,
        markovRank: markovRank, shortest: shortest, kind: .tokens, ownsEmbedding: ownsEmbedding)
    }
  }

  @Test(arguments: [
    (1, 2, Int?.none, Int?.none, Int?.none), (2, 8, 30, 6, nil), (3, 5, nil, 4, nil),
    (2, 16, 20, nil, nil), (2, 16, 30, 6, 5), (1, 7, nil, nil, 2),
  ])
  func `every block's logits are those of the serving drafter`(
    layers: Int, blockSize: Int, draftVocabulary: Int?, markovRank: Int?, shortest: Int?
  ) throws {
    try check(
      layers: layers, blockSize: blockSize, draftVocabulary: draftVocabulary,
      markovRank: markovRank, shortest: shortest)
  }

  @Test(arguments: [(true, false), (false, true), (true, true)])
  func `every block's logits are those of the serving drafter whose blocks are others`(
    samplesAnchor: Bool, isCausal: Bool
  ) throws {
    for (blockSize, markovRank) in [(2, nil), (8, 6), (5, nil)] {
      try check(
        layers: 2, blockSize: blockSize, draftVocabulary: 30, markovRank: markovRank, shortest: nil,
        samplesAnchor: samplesAnchor, isCausal: isCausal)
    }
  }

  @Test(arguments: DrafterKind.allCases, [nil, 6])
  func `every draft's confidence is that of the serving drafter`(
    kind: DrafterKind, markovRank: Int?
  ) throws {
    try check(
      layers: 2, blockSize: 8, draftVocabulary: markovRank == nil ? nil : 30,
      markovRank: markovRank, shortest: nil, kind: kind,
      confidence: ConfidenceHeadTraining())
  }

  private func check(
    layers: Int, blockSize: Int, draftVocabulary: Int?, markovRank: Int?, shortest: Int?,
    kind: DrafterKind = .conditioned, ownsEmbedding: Bool = false,
    confidence: ConfidenceHeadTraining? = nil, samplesAnchor: Bool = false, isCausal: Bool = false
  ) throws {
    let anchors = [0, 1, 7, 8, 30, 31, 32, 60, 75, 89]
    let fixture = DrafterFixture(
      anchors: anchors, length: 91, blockSize: blockSize, layers: layers,
      draftVocabulary: draftVocabulary, markovRank: markovRank, shortestBlock: shortest,
      confidence: confidence, kind: kind, ownsEmbedding: ownsEmbedding,
      samplesAnchor: samplesAnchor, isCausal: isCausal)
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("drafter-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try DrafterExport.write(fixture.model, type: .f32, to: folder)
    let drafter = try BlockDrafter(directory: folder)
    #expect(drafter.configuration == fixture.model.configuration)
    #expect(drafter.draftVocabulary == fixture.model.target.draftVocabulary)

    let runner = SingleDrafter(
      drafter: drafter, embedding: fixture.model.target.embedding,
      head: PackedMatrix(
        fixture.head.base, rows: DrafterFixture.vocabulary, columns: DrafterFixture.hidden,
        format: .f32),
      workers: Workers(count: 1), capacity: 128)
    let trained = fixture.pass.logits(fixture.example, features: fixture.features)
    let confidences = fixture.pass.confidences(fixture.example, features: fixture.features)
    let width = 2 * DrafterFixture.hidden
    let choices = fixture.model.configuration.choices
    let count = (shortest ?? blockSize) - (samplesAnchor ? 0 : 1)
    #expect(trained.count == anchors.count * count * choices)
    #expect(confidences.count == (confidence != nil ? anchors.count * count : 0))
    // Else agreement says little.
    #expect(
      confidences.isEmpty || (confidences.max() ?? 0) - (confidences.min() ?? 1) > 0.05,
      "\(confidences)")
    var compared = 0
    for (block, anchor) in anchors.enumerated() {
      let known = runner.contextCount
      switch kind {
      case .conditioned:
        runner.appendContext(fixture.features.taps.base + known * width, rows: anchor - known)
      case .tokens: runner.appendContext(fixture.tokens[known..<anchor])
      }
      var comparable = true
      runner.draft(anchor: fixture.tokens[anchor], count: count) { index, logits in
        let row = trained[((block * count + index) * choices)...].prefix(choices)
        let largest = row.reduce(0) { max($0, abs($1)) }
        let off = zip(row, UnsafeBufferPointer(start: logits, count: choices))
          .reduce(0) { max($0, abs($1.0 - $1.1)) }
        if comparable {
          compared += 1
          let top = row.max() ?? 0
          let probability = 1 / row.reduce(0) { $0 + exp($1 - top) }
          let expected = confidences.isEmpty ? probability : confidences[block * count + index]
          #expect(
            abs(runner.confidence(index, probability: probability) - expected) < 1e-4,
            "block \(block), row \(index)")
          #expect(
            off < 1e-4 * max(largest, 1),
            "block \(block), row \(index): \(Array(row)) against \((0..<choices).map { logits[$0] })"
          )
        }
        // Teacher forcing: the serving head must see the sequence's own token before the next row.
        // It can't where that token can't be drafted, and the trainer doesn't past the end.
        let next = anchor + index + 1
        let choice =
          next < fixture.tokens.count ? fixture.model.target.choices[Int(fixture.tokens[next])] : -1
        if markovRank != nil && (choice < 0 || next + 1 >= fixture.tokens.count) {
          comparable = false
        }
        return Int(max(choice, 0))
      }
    }
    #expect(compared >= anchors.count)
  }
}
