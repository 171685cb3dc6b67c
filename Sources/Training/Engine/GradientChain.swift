import CKernels
import Foundation
import Tensors

/// A sum that is handed along from the first rank to the last and comes back whole.
///
/// The gradient goes in pieces, each on its own: while a rank adds its lanes to one piece, the piece before
/// it is on its way to the next rank, and earlier ones come back. So all of it takes about the time in
/// which a link carries the gradient once in each direction at once, and a piece more for every rank.
/// Nothing is computed twice, and the order of additions is that of the lanes.
///
/// Pieces go from the gradient's end to its beginning, as backward passes make them final, and each as soon
/// as it is. One thread at a time takes the sum further.
final class GradientChain {
  private let ranks: any Communicator
  private let pieces: [Piece]
  private let wires: Wires
  /// What the rank before has summed: [window][piece].
  private let sums: FloatBuffer
  private let arrivals: Wires?  // nil on the first rank
  private let room: Int  // values of the longest piece

  private var incoming: [any Transfer] = []
  private var outgoing: [any Transfer] = []
  private var returning: [any Transfer] = []
  private var homeward: [any Transfer] = []
  private var (added, returned) = (0, 0)

  /// The fewest and the most blocks of a piece: 64 KiB and 1 MiB of f32. Many ranks take small pieces, whose
  /// way past all of them is short.
  private static let pieceBlocks = 4...64
  /// Pieces under way from a neighbour at once.
  private static let window = 4

  /// A piece's range of blocks and of values.
  private struct Piece {
    var blocks: Range<Int>
    var values: Range<Int>
  }

  init(ranks: any Communicator, blocks: [Range<Int>], precision: SumPrecision) {
    self.ranks = ranks
    pieces = Self.cut(blocks, ranks: ranks.rankCount)
    room = pieces.map(\.values.count).max() ?? 0
    wires = Wires(precision, count: blocks.last?.upperBound ?? 0)
    sums = FloatBuffer(count: ranks.isFirst ? 0 : Self.window * room)
    arrivals = ranks.isFirst ? nil : Wires(precision, count: sums.count)
    arrivals?.values = sums
  }

  private static func cut(_ blocks: [Range<Int>], ranks: Int) -> [Piece] {
    let size = min(
      max(blocks.count / (2 * ranks), Self.pieceBlocks.lowerBound), Self.pieceBlocks.upperBound)
    let pieces = stride(from: 0, to: blocks.count, by: size).map { first in
      let range = first..<min(first + size, blocks.count)
      return Piece(
        blocks: range,
        values: blocks[range.lowerBound].lowerBound..<blocks[range.upperBound - 1].upperBound)
    }
    return pieces.reversed()
  }

  /// Begins a sum.
  ///
  /// - Parameter own: This rank's first lane, which gets the sum.
  func begin(_ own: FloatBuffer) {
    wires.values = own
    (incoming, outgoing, returning, homeward) = ([], [], [], [])
    (added, returned) = (0, 0)
  }

  /// Whether all of the sum is here.
  var isWhole: Bool { added == pieces.count && returned == pieces.count }

  /// Takes the sum a little further, without waiting.
  ///
  /// - Parameters:
  ///   - first: The first value from which on this rank's gradients are final.
  ///   - add: Adds this rank's lanes to a partial sum in blocks of its first lane, given the sum of the
  ///     ranks before in these blocks.
  /// - Returns: Whether anything could be done.
  func advance(
    from first: Int, add: (Range<Int>, UnsafePointer<Float>?) -> Void
  ) throws -> Bool {
    var progress = false
    if let arrivals, incoming.count < min(pieces.count, added + Self.window) {
      let place = incoming.count % Self.window * room
      incoming.append(
        try ranks.receive(
          arrivals.writable(place..<place + pieces[incoming.count].values.count),
          from: ranks.rank - 1, on: .steps))
      progress = true
    }
    if added < pieces.count, pieces[added].values.lowerBound >= first, try hasArrived(added) {
      let piece = pieces[added]
      let place = added % Self.window * room
      arrivals?.unpack(place..<place + piece.values.count)
      add(piece.blocks, ranks.isFirst ? nil : UnsafePointer(sums.base + place))
      wires.pack(piece.values)
      if ranks.isLast {
        returned += 1
        try giveBack(piece)
      } else {
        outgoing.append(
          try ranks.send(wires.readable(piece.values), to: ranks.rank + 1, on: .steps))
      }
      added += 1
      progress = true
    }
    guard !ranks.isLast else { return progress }
    // The piece's own bytes are overwritten, so they must have left.
    let next = returning.count
    if next < min(outgoing.count, returned + Self.window), try outgoing[next].isDone() {
      returning.append(
        try ranks.receive(
          wires.writable(pieces[next].values), from: ranks.rank + 1, on: .steps))
      progress = true
    }
    if returned < returning.count, try returning[returned].isDone() {
      wires.unpack(pieces[returned].values)
      try giveBack(pieces[returned])
      returned += 1
      progress = true
    }
    return progress
  }

  /// Takes the sum to its end.
  func finish(add: (Range<Int>, UnsafePointer<Float>?) -> Void) throws {
    var pause = Pause()
    while !isWhole {
      if try advance(from: 0, add: add) { pause.reset() } else { pause.wait() }
    }
    for transfer in homeward { try transfer.wait() }
  }

  /// Whether what the rank before has summed of a piece is here.
  private func hasArrived(_ piece: Int) throws -> Bool {
    try ranks.isFirst || piece < incoming.count && incoming[piece].isDone()
  }

  private func giveBack(_ piece: Piece) throws {
    guard !ranks.isFirst else { return }
    homeward.append(
      try ranks.send(wires.readable(piece.values), to: ranks.rank - 1, on: .steps))
  }
}

/// Values as they are sent: in f32 where they lie, in bf16 packed beside them.
private final class Wires {
  /// What is sent and received.
  var values = FloatBuffer(count: 0)
  private let packed: UnsafeMutablePointer<UInt16>?  // [count]

  init(_ precision: SumPrecision, count: Int) {
    packed = precision == .bf16 ? .allocate(capacity: max(count, 1)) : nil
    packed?.initialize(repeating: 0, count: max(count, 1))
  }

  deinit { packed?.deallocate() }

  func writable(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
    if let packed {
      return UnsafeMutableRawBufferPointer(
        start: packed + range.lowerBound, count: 2 * range.count)
    }
    return UnsafeMutableRawBufferPointer(
      start: values.base + range.lowerBound, count: 4 * range.count)
  }

  func readable(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(writable(range))
  }

  /// Makes what is sent of values, which are bf16 already.
  func pack(_ range: Range<Int>) {
    guard let packed else { return }
    ct_pack_bf16(range.count, values.base + range.lowerBound, packed + range.lowerBound)
  }

  func unpack(_ range: Range<Int>) {
    guard let packed else { return }
    ct_unpack_bf16(range.count, packed + range.lowerBound, values.base + range.lowerBound)
  }
}
