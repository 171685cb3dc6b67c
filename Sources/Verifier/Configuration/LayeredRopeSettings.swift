import Files
import Tensors

/// The rotary settings of `config.json`, where windowed layers may have their own.
struct LayeredRopeSettings {
  /// Of all layers, or of those without a window.
  let all: RopeSettings
  /// Of windowed layers; nil if they are the same.
  let windowed: WindowedRope?

  init(_ file: ConfigurationFile, family: ModelFamily, maximumContext: Int) throws {
    let (rotation, theta) = (family.rotation, family.defaults.ropeTheta)
    func settings(_ layers: String) throws -> RopeSettings {
      try RopeSettings(
        file, maximumContext: maximumContext, theta: theta,
        scaling: family.defaults.ropeScaling, rotatedShare: rotation.share,
        layers: rotation.windowed == .same ? nil : layers)
    }
    all = try settings("full_attention")
    switch rotation.windowed {
    case .same: windowed = nil
    case .own(let base):
      if let section = try RopeSettings.section(file),
        RopeSettings.sections(ofLayersIn: section).contains("sliding_attention")
      {
        let own = try settings("sliding_attention")
        windowed = WindowedRope(theta: own.theta, scaling: own.scaling)
      } else {
        windowed = WindowedRope(
          theta: try file.number("rope_local_base_freq") ?? base ?? all.theta)
      }
    }
  }
}
