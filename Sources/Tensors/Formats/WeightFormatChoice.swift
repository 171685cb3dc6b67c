/// What a user wants of the formats of a model's parts; nil means as it is stored.
public struct WeightFormatChoice: Sendable, Equatable {
  /// The matrices of the decoder layers.
  public var layers: WeightFormat?
  /// The head; nil beside a chosen format of the layers means `WeightFormats.defaultHead` of it.
  public var head: WeightFormat?
  /// The token embedding; nil beside a chosen head means the head's.
  public var embedding: WeightFormat?
  /// Whether products take activations as they are, in f32, instead of rounding them to the 8 bits or
  /// the bf16 of the formats' products: closer to the model as it was made, and slower.
  public var floatActivations = false

  /// Everything as it is stored.
  public static let stored = WeightFormatChoice()

  /// Makes a choice.
  public init(
    layers: WeightFormat? = nil, head: WeightFormat? = nil, embedding: WeightFormat? = nil,
    floatActivations: Bool = false
  ) {
    self.layers = layers
    self.head = head
    self.embedding = embedding
    self.floatActivations = floatActivations
  }

  /// The formats that this choice means for a model that is stored in others.
  package func applied(to stored: WeightFormats) -> WeightFormats {
    let chosenHead = head ?? layers.map(WeightFormats.defaultHead)
    func product(_ format: WeightFormat) -> WeightFormat {
      floatActivations ? format.withFloatActivations : format
    }
    return WeightFormats(
      layers: product(layers ?? stored.layers), head: product(chosenHead ?? stored.head),
      embedding: embedding ?? chosenHead ?? stored.embedding)
  }
}
