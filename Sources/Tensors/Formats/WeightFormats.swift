/// How the parts of a model are held.
///
/// The head decides between tokens and the embedding is where all else starts, so both may keep more
/// bits than the layers, which are most of a model.
package struct WeightFormats: Sendable, Equatable {
  package var layers: WeightFormat
  package var head: WeightFormat
  package var embedding: WeightFormat

  /// Makes a choice for each part; what is left out is `defaultHead` of the layers' format, and the
  /// head's for the embedding.
  package init(layers: WeightFormat, head: WeightFormat? = nil, embedding: WeightFormat? = nil) {
    self.layers = layers
    self.head = head ?? Self.defaultHead(layers)
    self.embedding = embedding ?? self.head
  }

  /// The usual format of a head: that of the layers, but 8 bits where they have 4.
  package static func defaultHead(_ layers: WeightFormat) -> WeightFormat {
    layers.coding.usualHead
  }

  /// Whether any part is in an integer format.
  package var isQuantized: Bool { [layers, head, embedding].contains(where: \.isQuantized) }

  /// `bf16`, or `int4, head int8, embedding bf16` where the parts differ.
  package var description: String {
    var parts = [layers.rawValue]
    if head != layers { parts.append("head \(head.rawValue)") }
    if embedding != head { parts.append("embedding \(embedding.rawValue)") }
    return parts.joined(separator: ", ")
  }
}

extension WeightFormats: CustomStringConvertible {}
