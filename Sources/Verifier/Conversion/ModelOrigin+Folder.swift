import Tensors

extension ModelOrigin {
  /// All tensors as a folder of the family holds them: what lies in one tensor there is put together, and
  /// norms store what their family stores.
  func folderTensors() throws -> [Tensor] {
    guard file != nil else { return tensors }
    let own = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
    let lessOne = folderConfiguration.scalesLessOne
    var result: [Tensor] = []
    var joined: [String: [(tensor: NamedShape, origin: TensorOrigin)]] = [:]
    for (wanted, _) in folderConfiguration.partedTensors {
      guard let tensor = own[wanted.name] else { continue }
      let origin = lessOne.contains(wanted.name) ? tensor.origin.adding(-1) : tensor.origin
      if wanted.part == nil {
        result.append(Tensor(name: wanted.name, part: tensor.part, origin: origin))
      } else {
        joined[wanted.storedName, default: []].append((wanted, origin))
      }
    }
    for (name, parts) in joined {
      guard let first = parts.first, let part = own[first.tensor.name]?.part else { continue }
      result.append(
        Tensor(
          name: name, part: part, origin: TensorOrigin(joining: parts),
          isTransposed: part == .matrix && first.tensor.part?.isTransposed == true))
    }
    return result.sorted { $0.name < $1.name }
  }
}
