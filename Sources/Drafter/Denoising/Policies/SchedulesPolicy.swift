/// Drafts a block by several schedules, each of another size of sub-blocks, and has all drafts verified as one
/// tree, the one with the most votes first (HEX, arXiv 2510.05040).
package struct SchedulesPolicy: NamedPolicy {
  package static let name = "hex"
  package static let about = "a tree of drafts by several sizes of sub-blocks (HEX)"
  package static let settings = [
    DenoisingSetting("schedules", 3, 1...5, isWhole: true, "sizes of sub-blocks: 1, 2, 4, 8, 16"),
    DenoisingSetting("rows", 2, 1...64, isWhole: true, "masks fixed by a pass"),
  ]

  private let schedules: Int
  private let rows: Int
  private var index = 0

  package init(_ values: DenoisingValues) {
    schedules = values.whole("schedules")
    rows = values.whole("rows")
  }

  package mutating func begin(_ round: DenoisingRound) -> BlockOpening {
    index = 0
    return BlockOpening()
  }

  package mutating func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    let masked = block.masked
    let size = 1 << index
    let part = masked.filter { $0 / size == masked[0] / size }
    let fixed = FixingRules.surest(min(rows, size), of: part, certainty: block.certainty)
    guard fixed.count == masked.count else { return block.fixing(fixed) }
    index += 1
    guard index == schedules else { return .restart }
    let last = block.drafts.indices.map(block.token)
    return .finish(DenoisingEnd(chain: Self.vote(block.chains.map(\.tokens) + [last])))
  }

  /// The draft that most schedules agree on; of equally many votes the one of the smallest sub-blocks.
  package static func vote(_ drafts: [[Int32]]) -> Int {
    let votes = drafts.map { draft in drafts.count { $0 == draft } }
    return votes.indices.max { (votes[$0], -$0) < (votes[$1], -$1) } ?? 0
  }
}
