import CKernels
import Files
import Foundation
package import Tensors

/// What the loss of a batch is summed in, as bytes that can be sent.
package protocol LossSum: Sendable, BitwiseCopyable {
  init()
  static func += (sum: inout Self, other: Self)
}

extension Double: LossSum {}

/// What sums of gradients are rounded to after each lane.
package enum SumPrecision: String, Sendable, Codable, CaseIterable {
  /// Nothing is rounded beyond f32's own additions.
  case f32
  /// Half the bytes between ranks. Rounded after every lane, wherever lanes lie, so that the sum is the
  /// same for any number of ranks; with 8 bits of mantissa it is a coarser one.
  case bf16
}

/// What stands between gradients and the optimizer's step: who takes which sequences of a batch, and in
/// which order what they give is summed.
///
/// A batch is dealt out to numbered lanes by its sequences' numbers. Each lane has a gradient and a loss
/// of its own, to which its sequences are added one after another; then the lanes are added in the order
/// of their numbers. So a sum depends on how many lanes there are and on nothing else: not on timing, not
/// on threads, and not on how many ranks the lanes are spread over. Ranks hold lanes side by side, and
/// hand a partial sum along from the first to the last, piece by piece; the pieces of the whole sum come
/// back the same way while others are still on their way there. Pieces whose gradients are final go while
/// passes still work on others.
///
/// The rest of a step every rank works out alike: which sequences it visits and what they weigh, AdamW.
package final class Exchange: @unchecked Sendable {
  // Unchecked: one thread at a time takes sums further, and workers write disjoint blocks of what is here.

  package let ranks: any Communicator
  /// Lanes of the whole run.
  package let laneCount: Int
  package let precision: SumPrecision
  private var buffers: GradientBuffers?
  private var chain: GradientChain?
  private var isUnderWay = false

  /// - Parameters:
  ///   - ranks: The processes that the lanes are spread over, no more of them than lanes.
  package init(ranks: any Communicator, laneCount: Int, precision: SumPrecision = .f32) {
    precondition(laneCount >= ranks.rankCount, "every rank has a lane")
    self.ranks = ranks
    self.laneCount = laneCount
    self.precision = precision
  }

  /// The lanes of this process.
  package var lanes: Range<Int> { (0..<laneCount).share(of: ranks.rank, among: ranks.rankCount) }

  /// Bytes of a gradient as it goes from rank to rank.
  package func bytes(ofValues count: Int) -> Int { (precision == .f32 ? 4 : 2) * count }

  /// The sum of the losses of all lanes.
  ///
  /// - Parameter own: Those of this process's lanes.
  /// - Throws: When another rank can't be reached.
  package func sum<Losses: LossSum>(_ own: [Losses]) throws -> Losses { try ranks.sum(own) }

  /// Begins to add the gradients of all lanes, which passes are still adding to, into `own[0]`.
  package func begin(_ own: [FloatBuffer]) {
    precondition(own.count == lanes.count, "every lane has a gradient")
    guard !ranks.isAlone else { return }
    let buffers = buffers(own[0].count)
    let chain =
      chain ?? GradientChain(ranks: ranks, blocks: buffers.blocks, precision: precision)
    chain.begin(own[0])
    self.chain = chain
    isUnderWay = true
  }

  /// Takes a sum that has begun a little further, without waiting, on whatever thread.
  ///
  /// - Parameter first: The first value from which on all of `own` are final.
  /// - Returns: Whether anything could be done.
  /// - Throws: When another rank can't be reached.
  package func advance(_ own: [FloatBuffer], from first: Int) throws -> Bool {
    guard let chain, isUnderWay else { return false }
    let buffers = buffers(own[0].count)
    return try chain.advance(from: first) { add(own, incoming: $1, buffers, $0, nil) }
  }

  /// Takes a sum that has begun further while passes run.
  ///
  /// Looks that find nothing to do become rarer, since each may take a pass's core: with one every 0.1 ms
  /// two ranks on two cores took 11 % longer for a step than without any.
  ///
  /// - Parameters:
  ///   - marks: Of every pass, how much of its lanes' gradients is final.
  ///   - areDone: Waits until the passes are done, so many microseconds at most; returns whether they are.
  /// - Throws: When another rank can't be reached.
  package func follow(
    _ own: [FloatBuffer], _ marks: [GradientMark], until areDone: (_ microseconds: Int) -> Bool
  ) throws {
    let waits = 200...6400
    var wait = 0
    while !areDone(wait) {
      let first = marks.reduce(0) { max($0, $1.value) }
      let moves = try first < own[0].count && advance(own, from: first)
      wait = moves ? 0 : min(max(2 * wait, waits.lowerBound), waits.upperBound)
    }
  }

  /// Adds the gradients of all lanes into `own[0]`; returns the sum's norm. A sum that has begun is finished.
  ///
  /// - Parameters:
  ///   - own: Those of this process's lanes; all but the first keep what they hold.
  /// - Throws: When another rank can't be reached.
  package func sum(_ own: [FloatBuffer], workers: Workers) throws -> Double {
    if !isUnderWay { begin(own) }
    let buffers = buffers(own[0].count)
    if let chain, isUnderWay {
      try chain.finish { add(own, incoming: $1, buffers, $0, workers) }
    } else {
      add(own, incoming: nil, buffers, 0..<buffers.blocks.count, workers)
    }
    isUnderWay = false
    // Only the last rank has seen the whole sum grow.
    return try ranks.broadcast(buffers.norm, from: ranks.rankCount - 1)
  }

  private func buffers(_ count: Int) -> GradientBuffers {
    if let buffers, buffers.count == count { return buffers }
    let made = GradientBuffers(count: count, parts: laneCount)
    (buffers, chain) = (made, nil)
    return made
  }

  /// Adds this process's lanes to a partial sum in blocks of `own[0]`; on the last rank measures them too.
  ///
  /// - Parameters:
  ///   - incoming: The sum of the lanes before, of these blocks; nil on the first rank.
  ///   - workers: nil for the calling thread alone.
  private func add(
    _ own: [FloatBuffer], incoming: UnsafePointer<Float>?, _ buffers: GradientBuffers,
    _ blocks: Range<Int>, _ workers: Workers?
  ) {
    nonisolated(unsafe) let incoming = incoming
    guard let workers else { return add(own, incoming: incoming, buffers, blocks, of: blocks) }
    workers.run { worker in
      self.add(
        own, incoming: incoming, buffers, blocks.share(of: worker, among: workers.count),
        of: blocks)
    }
  }

  /// Adds some of the blocks that are added together.
  private func add(
    _ own: [FloatBuffer], incoming: UnsafePointer<Float>?, _ buffers: GradientBuffers,
    _ part: Range<Int>, of blocks: Range<Int>
  ) {
    let (rounds, measures) = (precision == .bf16, ranks.isLast)
    let start = buffers.blocks[blocks.lowerBound].lowerBound
    for index in part {
      let block = buffers.blocks[index]
      let sum = own[0].base + block.lowerBound
      var terms = own.dropFirst().map { UnsafePointer($0.base + block.lowerBound) }
      if let incoming { terms.insert(incoming + block.lowerBound - start, at: 0) }
      if rounds && incoming == nil { ct_round_bf16(block.count, sum) }
      let last = measures && !rounds ? terms.popLast() : nil
      for term in terms {
        ct_add(block.count, term, sum)
        if rounds { ct_round_bf16(block.count, sum) }
      }
      guard measures else { continue }
      buffers.squares[index] =
        last.map { ct_add_and_sum_squares(block.count, $0, sum) }
        ?? ct_sum_squares(block.count, sum)
    }
  }
}

/// How a gradient is cut to be summed: into parts, as many as lanes, and those into blocks, whose squares
/// are summed apart. The norm depends on these cuts, so ranks must not change them.
final class GradientBuffers: @unchecked Sendable {
  // Unchecked: workers write disjoint blocks.

  let count: Int
  let blocks: [Range<Int>]
  let squares: UnsafeMutablePointer<Double>  // [blocks]
  private let parts: [Range<Int>]  // of blocks

  /// The kernel's own blocks.
  private static let size = 4096

  init(count: Int, parts: Int) {
    self.count = count
    var blocks: [Range<Int>] = []
    self.parts = (0..<parts).map { index in
      let part = (0..<count).share(of: index, among: parts)
      let first = blocks.count
      blocks += stride(from: part.lowerBound, to: part.upperBound, by: Self.size).map {
        $0..<min($0 + Self.size, part.upperBound)
      }
      return first..<blocks.count
    }
    self.blocks = blocks
    squares = .allocate(capacity: max(blocks.count, 1))
    squares.initialize(repeating: 0, count: max(blocks.count, 1))
  }

  deinit { squares.deallocate() }

  /// The norm, once all blocks have been measured.
  var norm: Double {
    parts.reduce(0) { $0 + $1.reduce(0) { $0 + squares[$1] } }.squareRoot()
  }
}
