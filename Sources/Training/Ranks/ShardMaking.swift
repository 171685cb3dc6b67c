import Files
import Foundation

/// The making of what a folder of shards lacks: dealt out to ranks, and collected by the first one, which
/// alone writes. Elements are functions of their numbers, so the folder is that of one rank.
struct ShardMaking<Element: ShardElement> {
  let ranks: any Communicator
  /// On the first rank, the folder.
  let store: ShardStore<Element>?
  /// How many elements there are to be.
  let wanted: Int

  /// Elements between which the folder is synced.
  private static var flushInterval: Int { 64 }

  /// Makes what is missing.
  ///
  /// - Parameters:
  ///   - shouldStop: Asked between elements and more often; those in the making are lost. One rank that
  ///     stops stops all.
  ///   - report: Told on the first rank how many there are, and the last one; whether it was made here.
  /// - Returns: All elements in order, on every rank; nil when it was stopped before.
  func run(
    shouldStop: () -> Bool, report: (_ made: Int, Element, _ isOwn: Bool) -> Void,
    make: Dealing<Element>.Make
  ) throws -> [Element]? {
    let missing = try numbers()
    var made = wanted - missing.count
    func take(_ element: Element, _ number: Int, _ isOwn: Bool) throws {
      guard let store else { return }
      try store.add(element, number: number)
      made += 1
      if made % Self.flushInterval == 0 { try store.flush() }
      report(made, element, isOwn)
    }
    let dealing = Dealing<Element>(
      ranks: ranks,
      encode: { element, number in
        var bytes = Data()
        ShardRecord.append(element, number: number, to: &bytes)
        return bytes
      },
      decode: { bytes in
        let (elements, numbers, _) = bytes.withUnsafeBytes {
          ShardRecord<Element>.read($0, from: 0, isNumbered: true)
        }
        return zip(elements, numbers).map { ($0, $1) }
      })
    let isComplete = try dealing.run(missing, shouldStop: shouldStop, take: take, make: make)
    try store?.flush()
    guard isComplete else { return nil }
    // An interruption may have come between the last element and this.
    try store?.seal()
    return try ranks.share { store?.elements(below: wanted) ?? [] }
  }

  private func numbers() throws -> [Int] {
    let missing = store?.missing(below: wanted).flatMap(Array.init) ?? []
    return try ranks.broadcast(coded: missing) ?? []
  }
}

extension Communicator {
  /// Gives all ranks the elements that the first one has; the others' aren't asked for.
  func share<Element: ShardElement>(_ elements: () throws -> [Element]) throws -> [Element] {
    guard !isAlone else { return try elements() }
    var records = Data()
    if isFirst { for element in try elements() { ShardRecord.append(element, to: &records) } }
    return try broadcast(records).withUnsafeBytes {
      ShardRecord<Element>.read($0, from: 0).elements
    }
  }
}
