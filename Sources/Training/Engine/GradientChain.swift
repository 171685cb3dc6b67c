import CKernels
import Foundation
import Tensors

/// A sum that is handed along from the first rank to the last and comes back whole.
///
/// The gradient goes in pieces, each on its own: while a rank adds its lanes to one piece, the piece before
/// it is on its way to the next rank, and earlier ones come back. So all of it takes about the time in
/// which a link carries the gradient once in each direction at once, and a piece more for every rank.
/// Nothing is computed twice, and the order of additions is that of the lanes.
struct GradientChain {
  let ranks: any Communicator
  let buffers: GradientBuffers
  let precision: SumPrecision

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

  private func cut() -> [Piece] {
    let size = min(
      max(buffers.blocks.count / (2 * ranks.rankCount), Self.pieceBlocks.lowerBound),
      Self.pieceBlocks.upperBound)
    return stride(from: 0, to: buffers.blocks.count, by: size).map { first in
      let blocks = first..<min(first + size, buffers.blocks.count)
      return Piece(
        blocks: blocks,
        values: buffers.blocks[blocks.lowerBound]
          .lowerBound..<buffers.blocks[blocks.upperBound - 1].upperBound)
    }
  }

  /// Sums over all ranks.
  ///
  /// - Parameters:
  ///   - own: This rank's first lane, which gets the sum.
  ///   - add: Adds this rank's lanes to a partial sum in blocks of `own`, given the sum of the ranks
  ///     before in these blocks.
  func run(_ own: FloatBuffer, add: (Range<Int>, UnsafePointer<Float>?) -> Void) throws {
    let pieces = cut()
    let wires = Wires(precision, count: own.count, own: own)
    // What the rank before has summed: [window][piece].
    let room = pieces.map(\.values.count).max() ?? 0
    let sums = FloatBuffer(count: ranks.isFirst ? 0 : Self.window * room)
    let arrivals = ranks.isFirst ? nil : Wires(precision, count: sums.count, own: sums)

    var (incoming, outgoing, returning) = ([any Transfer](), [any Transfer](), [any Transfer]())
    var homeward: [any Transfer] = []
    var (added, returned) = (0, 0)
    var pause = Pause()
    while added < pieces.count || returned < pieces.count {
      var progress = false
      if let arrivals, incoming.count < min(pieces.count, added + Self.window) {
        let place = incoming.count % Self.window * room
        incoming.append(
          try ranks.receive(
            arrivals.writable(place..<place + pieces[incoming.count].values.count),
            from: ranks.rank - 1, on: .steps))
        progress = true
      }
      let isReady =
        try ranks.isFirst ? true : added < incoming.count && incoming[added].isDone()
      if added < pieces.count, isReady {
        let piece = pieces[added]
        let place = added % Self.window * room
        arrivals?.unpack(place..<place + piece.values.count)
        add(piece.blocks, ranks.isFirst ? nil : UnsafePointer(sums.base + place))
        wires.pack(piece.values)
        if ranks.isLast {
          returned += 1
          try giveBack(piece, wires, &homeward)
        } else {
          outgoing.append(
            try ranks.send(wires.readable(piece.values), to: ranks.rank + 1, on: .steps))
        }
        added += 1
        progress = true
      }
      if !ranks.isLast {
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
          try giveBack(pieces[returned], wires, &homeward)
          returned += 1
          progress = true
        }
      }
      if progress { pause.reset() } else { pause.wait() }
    }
    for transfer in homeward { try transfer.wait() }
  }

  private func giveBack(
    _ piece: Piece, _ wires: Wires, _ homeward: inout [any Transfer]
  ) throws {
    guard !ranks.isFirst else { return }
    homeward.append(
      try ranks.send(wires.readable(piece.values), to: ranks.rank - 1, on: .steps))
  }
}

/// Values as they are sent: in f32 where they lie, in bf16 packed beside them.
private final class Wires {
  private let own: FloatBuffer
  private let packed: UnsafeMutablePointer<UInt16>?  // [count]

  init(_ precision: SumPrecision, count: Int, own: FloatBuffer) {
    self.own = own
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
      start: own.base + range.lowerBound, count: 4 * range.count)
  }

  func readable(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(writable(range))
  }

  /// Makes what is sent of values, which are bf16 already.
  func pack(_ range: Range<Int>) {
    guard let packed else { return }
    ct_pack_bf16(range.count, own.base + range.lowerBound, packed + range.lowerBound)
  }

  func unpack(_ range: Range<Int>) {
    guard let packed else { return }
    ct_unpack_bf16(range.count, packed + range.lowerBound, own.base + range.lowerBound)
  }
}
