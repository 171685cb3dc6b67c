import Tensors

/// What the tensors that folders of a model hold are, by their names there.
struct StoredTensors {
  /// All but those that hold several experts.
  private(set) var parts: [String: ModelOrigin.Part] = [:]
  /// Matrices that are stored [in, out].
  private(set) var transposed: Set<String> = []
  private var experts: [String: [NamedShape]] = [:]

  init(_ configuration: ModelConfiguration) {
    let names = configuration.family.tensors
    for tensor in configuration.namedTensors where parts[tensor.storedName] == nil {
      parts[tensor.storedName] = .other
    }
    (parts[names.embedding], parts[names.head]) = (.embedding, .head)
    for layer in 0..<configuration.layerCount {
      for (role, tensor) in configuration.layout(ofLayer: layer).tensors
      where tensor.shape.count == 2 && !role.isRouter {
        if tensor.part?.shape == nil {
          parts[tensor.storedName] = .matrix
          if tensor.part?.isTransposed == true { transposed.insert(tensor.storedName) }
        } else {
          parts[tensor.storedName] = nil
          experts[tensor.storedName, default: []].append(tensor)
        }
      }
    }
  }

  /// The experts that a tensor holds; nil for any other tensor, and none for one of their scales.
  func experts(in name: String) -> [NamedShape]? {
    if name.hasSuffix("_scales"), experts[String(name.dropLast(7))] != nil { return [] }
    let whole = name.hasSuffix("_blocks") ? String(name.dropLast(7)) : name
    return experts[name] ?? experts[whole]
  }
}

extension ModelConfiguration {
  /// All tensors, the head beside an embedding that it is tied to included.
  var namedTensors: [NamedShape] { partedTensors.map(\.tensor) }

  /// The same with what each is.
  var partedTensors: [(tensor: NamedShape, part: ModelOrigin.Part)] {
    let names = family.tensors
    let table = [vocabularySize, hiddenSize]
    var all: [(tensor: NamedShape, part: ModelOrigin.Part)] = [
      (NamedShape(names.embedding, table), .embedding), (NamedShape(names.head, table), .head),
    ]
    for case let tensor? in [finalNorm.weight, finalNorm.bias, positions, headBias] {
      all.append((tensor, .other))
    }
    for layer in 0..<layerCount {
      for (role, tensor) in layout(ofLayer: layer).tensors {
        all.append((tensor, tensor.shape.count == 2 && !role.isRouter ? .matrix : .other))
      }
    }
    return all
  }

  /// The names of what the model adds 1 to.
  var scalesLessOne: Set<String> {
    guard family.norm.scale == .onePlusStored || family.headNorm.scale == .onePlusStored else {
      return []
    }
    var names: Set<String> = []
    if family.norm.scale == .onePlusStored, let weight = finalNorm.weight {
      names.insert(weight.name)
    }
    for layer in 0..<layerCount {
      for (role, tensor) in layout(ofLayer: layer).tensors {
        let design: NormDesign? =
          switch role {
          case .queryNorm, .keyNorm: family.headNorm
          case .mixerNorm, .mixerPostNorm, .feedForwardNorm, .feedForwardPostNorm: family.norm
          default: nil
          }
        if design?.scale == .onePlusStored { names.insert(tensor.name) }
      }
    }
    return names
  }
}
