package import Files
package import Foundation

/// What all ranks do together. Every rank calls the same functions in the same order.
extension Communicator {
  /// Whether this is the rank that writes files and talks.
  package var isFirst: Bool { rank == 0 }
  package var isLast: Bool { rank == rankCount - 1 }
  package var isAlone: Bool { rankCount == 1 }

  /// Copies bytes of one rank to all, along a binomial tree.
  package func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int = 0) throws {
    guard !isAlone else { return }
    // Pieces follow each other down the tree.
    let size = 1 << 24
    for start in stride(from: 0, to: bytes.count, by: size) {
      let piece = bytes[start..<min(start + size, bytes.count)]
      try broadcastPiece(UnsafeMutableRawBufferPointer(rebasing: piece), from: root)
    }
  }

  private func broadcastPiece(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws {
    func actual(_ place: Int) -> Int { (place + root) % rankCount }
    let place = (rank - root + rankCount) % rankCount
    var mask = 1
    while mask < rankCount, place & mask == 0 { mask <<= 1 }
    if place > 0 { try receive(bytes, from: actual(place - mask), on: .steps).wait() }
    var transfers: [any Transfer] = []
    mask >>= 1
    while mask > 0 {
      if place + mask < rankCount {
        transfers.append(
          try send(UnsafeRawBufferPointer(bytes), to: actual(place + mask), on: .steps))
      }
      mask >>= 1
    }
    for transfer in transfers { try transfer.wait() }
  }

  /// Copies a value of one rank to all.
  package func broadcast<Value: BitwiseCopyable>(
    _ value: Value, from root: Int = 0
  ) throws -> Value {
    var value = value
    try withUnsafeMutableBytes(of: &value) { try broadcast($0, from: root) }
    return value
  }

  /// Copies data of the first rank to all; the others' `data` doesn't count.
  package func broadcast(_ data: Data) throws -> Data {
    guard !isAlone else { return data }
    let count = try broadcast(data.count)
    var copy = isFirst ? data : Data(count: count)
    try copy.withUnsafeMutableBytes { try broadcast($0) }
    return copy
  }

  /// Copies a value of the first rank to all, as JSON; the others' `value` doesn't count.
  package func broadcast<Value: Codable>(coded value: Value?) throws -> Value? {
    guard !isAlone else { return value }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let data = try broadcast(value.map { try encoder.encode([$0]) } ?? Data())
    guard !data.isEmpty else { return nil }
    return try JSONDecoder().decode([Value].self, from: data).first
  }

  /// Adds values up in the order of ranks, `own` in their order in each, and gives all the sum.
  package func sum<Value: LossSum>(_ own: [Value]) throws -> Value {
    var sum = Value()
    if !isFirst {
      try withUnsafeMutableBytes(of: &sum) {
        try receive($0, from: rank - 1, on: .steps).wait()
      }
    }
    for value in own { sum += value }
    guard !isAlone else { return sum }
    if !isLast {
      try withUnsafeBytes(of: sum) { try send($0, to: rank + 1, on: .steps).wait() }
    }
    return try broadcast(sum, from: rankCount - 1)
  }
}

extension Int: LossSum {}

/// Where ranks must have the same and don't.
extension Communicator {
  /// Says that this rank isn't like the first.
  ///
  /// - Parameters:
  ///   - values: What has to be the same, by what it is called.
  ///   - advice: What to do about it.
  /// - Throws: `SpeculateError` on the ranks that differ.
  package func agree(_ values: [String: String], advice: String) throws {
    guard !isAlone else { return }
    let wanted = try broadcast(coded: values) ?? [:]
    let names = Set(wanted.keys).union(values.keys).sorted()
    guard let name = names.first(where: { wanted[$0] != values[$0] }) else { return }
    func shown(_ value: String?) -> String { value.map { String($0.prefix(80)) } ?? "none" }
    throw SpeculateError(
      "rank \(rank) on \(hostName) has another \(name) (\(shown(values[name]))) than rank 0 "
        + "(\(shown(wanted[name]))): \(advice)")
  }

  /// Says that this rank would make other elements than the first.
  func agree(on settings: some ShardSettings) throws { try agree(settings: settings.named) }

  private func agree(settings: [String: String]) throws {
    try agree(
      Dictionary(uniqueKeysWithValues: settings.map { ("‘\($0)’", $1) }),
      advice: "give all ranks the same files and options")
  }

  /// Claims an output folder for all ranks, which the first one writes.
  ///
  /// - Returns: nil on the others.
  package func claim(
    _ folder: URL, for job: OutputClaim.Job, apartFrom inputs: [OutputClaim.Input]
  ) throws -> OutputClaim? {
    let claim = isFirst ? try OutputClaim(folder: folder, for: job, apartFrom: inputs) : nil
    try agree(settings: job.settings)
    return claim
  }
}

/// This machine's name.
package var hostName: String {
  var name = [CChar](repeating: 0, count: 256)
  guard gethostname(&name, name.count - 1) == 0 else { return "this host" }
  return name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
}
