import Files
package import Foundation

/// Work on numbered items that is dealt out to ranks, and whose results the first one takes as they come.
package struct Dealing<Item> {
  let ranks: any Communicator
  /// An item and its number as bytes, and back.
  let encode: (Item, Int) throws -> Data
  let decode: (Data) throws -> [(item: Item, number: Int)]

  /// Makes items, and calls `emit` with each and its number.
  ///
  /// - Returns: Whether all are made, false when it was stopped.
  package typealias Make = (
    _ numbers: [Int], _ shouldStop: () -> Bool, _ emit: (Item, Int) throws -> Void
  ) throws -> Bool

  package init(
    ranks: any Communicator, encode: @escaping (Item, Int) throws -> Data,
    decode: @escaping (Data) throws -> [(item: Item, number: Int)]
  ) {
    (self.ranks, self.encode, self.decode) = (ranks, encode, decode)
  }

  /// Makes the items of some numbers, which every rank names alike.
  ///
  /// - Parameters:
  ///   - shouldStop: Asked between items and more often; those in the making are lost. One rank that stops
  ///     stops all.
  ///   - take: Given each item on the first rank, and whether it was made there.
  ///   - make: Makes a rank's own items; not called for none.
  /// - Returns: Whether all are made, on every rank.
  package func run(
    _ numbers: [Int], shouldStop: () -> Bool, take: (Item, Int, _ isOwn: Bool) throws -> Void,
    make: Make
  ) throws -> Bool {
    guard !numbers.isEmpty else { return true }
    let own = numbers.indices.filter { $0 % ranks.rankCount == ranks.rank }.map { numbers[$0] }
    let isWhole = try withoutActuallyEscaping(shouldStop) { shouldStop in
      try withoutActuallyEscaping(take) { take in
        ranks.isFirst
          ? try collect(own, shouldStop, take, make) : try deliver(own, shouldStop, make)
      }
    }
    return try ranks.broadcast(isWhole)
  }

  /// The first rank: makes its own and takes what the others send, until all of them have ended.
  private func collect(
    _ own: [Int], _ shouldStop: @escaping () -> Bool,
    _ take: @escaping (Item, Int, _ isOwn: Bool) throws -> Void, _ make: Make
  ) throws -> Bool {
    var working = Set(1..<ranks.rankCount)
    var (isComplete, failure) = (true, (any Error)?.none)
    var sent: [PendingMail] = []
    func stopOthers() {
      guard isComplete else { return }
      isComplete = false
      for rank in working { mail(.stop, to: rank, &sent, &failure) }
    }
    func receiveAll() {
      do {
        while failure == nil, let mail = try ranks.mail() {
          switch mail.content {
          case .item(let bytes):
            for (item, number) in try decode(bytes) { try take(item, number, false) }
          case .end(let isWhole):
            working.remove(mail.rank)
            if !isWhole { stopOthers() }
          case .stop: break
          }
        }
      } catch { failure = error }
    }
    let isWhole =
      try own.isEmpty
      || make(
        own,
        {
          receiveAll()
          return shouldStop() || !isComplete || failure != nil
        }, { try take($0, $1, true) })
    if !isWhole { stopOthers() }
    var pause = Pause()
    while !working.isEmpty, failure == nil {
      let before = working.count
      receiveAll()
      if shouldStop() { stopOthers() }
      if working.count < before { pause.reset() } else { pause.wait() }
    }
    // Now nobody sends any more, and everybody can go on.
    for rank in 1..<max(ranks.rankCount, 1) { mail(.end(isComplete), to: rank, &sent, &failure) }
    for pending in sent { try pending.transfer.wait() }
    if let failure { throw failure }
    return isComplete
  }

  /// Another rank: makes its own and sends each to the first.
  private func deliver(
    _ own: [Int], _ shouldStop: @escaping () -> Bool, _ make: Make
  ) throws -> Bool {
    var (isStopped, isOver, failure) = (false, false, (any Error)?.none)
    var sent: [PendingMail] = []
    func receiveAll() {
      do {
        while let mail = try ranks.mail() {
          if case .end = mail.content { isOver = true }
          isStopped = true
        }
        try sent.removeAll { try $0.transfer.isDone() }
      } catch { failure = error }
    }
    let isWhole =
      try own.isEmpty
      || make(
        own,
        {
          receiveAll()
          return shouldStop() || isStopped || failure != nil
        },
        { mail(.item(try encode($0, $1)), to: 0, &sent, &failure) })
    mail(.end(isWhole), to: 0, &sent, &failure)
    var pause = Pause()
    while !isOver, failure == nil {
      receiveAll()
      pause.wait()
    }
    for pending in sent { try pending.transfer.wait() }
    if let failure { throw failure }
    return isWhole
  }

  private func mail(
    _ content: Mail.Content, to rank: Int, _ sent: inout [PendingMail],
    _ failure: inout (any Error)?
  ) {
    do { sent.append(try PendingMail(content, to: rank, of: ranks)) } catch { failure = error }
  }
}

/// A message between ranks about what one of them makes.
private struct Mail {
  enum Content {
    case item(Data)
    /// Nothing more comes; whether all is made.
    case end(Bool)
    case stop
  }

  var rank: Int
  var content: Content
}

/// A message under way, which keeps its bytes.
private final class PendingMail {
  let transfer: any Transfer
  private let bytes: UnsafeMutableRawBufferPointer

  init(_ content: Mail.Content, to rank: Int, of ranks: any Communicator) throws {
    let data =
      switch content {
      case .item(let data): Data([0]) + data
      case .end(let isWhole): Data([isWhole ? 2 : 1])
      case .stop: Data([3])
      }
    bytes = .allocate(byteCount: data.count, alignment: 8)
    data.copyBytes(to: bytes)
    transfer = try ranks.send(UnsafeRawBufferPointer(bytes), to: rank, on: .mail)
  }

  deinit { bytes.deallocate() }
}

extension Communicator {
  /// The next message that is here.
  fileprivate func mail() throws -> Mail? {
    guard let (rank, count) = try arrived(on: .mail) else { return nil }
    var data = Data(count: count)
    try data.withUnsafeMutableBytes { try receive($0, from: rank, on: .mail).wait() }
    let content: Mail.Content =
      switch data.first {
      case 0: .item(Data(data.dropFirst()))
      case 3: .stop
      case let kind: .end(kind == 2)
      }
    return Mail(rank: rank, content: content)
  }
}
