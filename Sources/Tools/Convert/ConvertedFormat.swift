import ArgumentParser
import Files
import Tensors

/// A format of a converted model: of a folder's weights, or the type of a GGUF file's tensors.
///
/// Where both are there, either name means either: `int8` is what GGUF calls Q8_0, `int4` Q4_0.
struct ConvertedFormat: ExpressibleByArgument, Equatable {
  let name: String
  /// As GGUF files have it.
  let type: GGUFTensorType
  /// As folders have it; nil where they don't.
  let format: WeightFormat?

  private static let all: [ConvertedFormat] = {
    let same = ["int8": "q8_0", "int4": "q4_0"]
    func type(named name: String) -> GGUFTensorType? {
      GGUFTensorType.written.first { $0.name.lowercased() == same[name] ?? name }
    }
    let formats = WeightFormat.named.compactMap { format in
      type(named: format.rawValue).map {
        ConvertedFormat(name: format.rawValue, type: $0, format: format)
      }
    }
    return formats + [
      ConvertedFormat(name: "q8_0", type: .q80, format: .int8),
      ConvertedFormat(name: "q4_0", type: .q40, format: .int4),
      ConvertedFormat(name: "f16", type: .f16, format: nil),
    ]
  }()

  private init(name: String, type: GGUFTensorType, format: WeightFormat?) {
    (self.name, self.type, self.format) = (name, type, format)
  }

  init?(argument: String) {
    guard let found = Self.all.first(where: { $0.name == argument.lowercased() }) else {
      return nil
    }
    self = found
  }

  static var allValueStrings: [String] { all.map(\.name) }
  var defaultValueDescription: String { name }

  /// The format of a folder's weights.
  ///
  /// - Throws: `SpeculateError` where folders don't have it.
  func folderFormat() throws -> WeightFormat {
    guard let format else {
      throw SpeculateError("\(name) is a type of GGUF files only: give --to gguf, or bf16")
    }
    return format
  }

  /// The type of floats, for folders that hold nothing else.
  ///
  /// - Throws: `SpeculateError` for another format.
  func elementType() throws -> ElementType {
    switch type {
    case .f32: return .f32
    case .bf16: return .bf16
    default:
      throw SpeculateError("--weights \(name) is none of other projects' folders: give bf16 or f32")
    }
  }
}
