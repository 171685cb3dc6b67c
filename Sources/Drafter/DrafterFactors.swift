import Files

/// What a drafter's embedding and logits go through beside its layers, as some published ones have it for targets that
/// do the same.
package struct DrafterFactors: Sendable, Equatable {
  /// What rows of the embedding are multiplied by.
  package var embedding: Float = 1
  /// What logits are multiplied by, before all else.
  package var logits: Float = 1
  /// The bound c that logits approach, `c · tanh(logit / c)`; nil for as they are.
  package var cap: Float?

  package init(embedding: Float = 1, logits: Float = 1, cap: Float? = nil) {
    self.embedding = embedding
    self.logits = logits
    self.cap = cap
  }

  /// Keys of z-lab's files, in `dflash_config` or beside it.
  private enum Key {
    static let (embedding, logits) = ("input_embedding_scale", "output_multiplier")
    static let cap = "final_logit_softcapping"
  }

  static let keys: Set = [Key.embedding, Key.logits, Key.cap]

  init(_ file: ConfigurationFile, _ settings: ConfigurationFile) throws {
    func number(_ key: String) throws -> Float? {
      let section = settings.value(key) == nil ? file : settings
      guard let number = try section.number(key) else { return nil }
      guard number.magnitude <= 1e6, number > 0 || key == Key.cap && number == 0 else {
        throw section.problem("'\(section.name(of: key))' is \(number), must be above 0, up to 1e6")
      }
      return Float(number)
    }
    embedding = try number(Key.embedding) ?? 1
    logits = try number(Key.logits) ?? 1
    cap = try number(Key.cap).flatMap { $0 > 0 ? $0 : nil }
  }

  var members: [String: JSONValue] {
    var members: [String: JSONValue] = [:]
    func add(_ key: String, _ value: Float) {
      members[key] = .number(Double("\(value)") ?? Double(value))
    }
    if embedding != 1 { add(Key.embedding, embedding) }
    if logits != 1 { add(Key.logits, logits) }
    if let cap { add(Key.cap, cap) }
    return members
  }
}
