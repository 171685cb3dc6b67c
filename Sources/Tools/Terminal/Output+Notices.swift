import Files
import Speculate
import Verifier

extension Output {
  /// Says what loading models showed, a line each, and nothing twice.
  ///
  /// - Parameters:
  ///   - notices: What loading found.
  ///   - model: The target.
  ///   - sampling: How tokens are chosen; nil where none are. What the target's folder proposes is said where
  ///     tokens are chosen as they are without options.
  static func notices(
    _ notices: [Notice], of model: CausalModel, sampling: SamplingParameters? = nil
  ) {
    let isUsual = sampling == SamplingParameters()
    var said: [Notice] = []
    for notice in notices where isUsual || notice != model.samplingNotice {
      if !said.contains(notice) { said.append(notice) }
    }
    Self.notices(said)
  }

  /// Says what loading a target showed.
  static func notices(of model: CausalModel, sampling: SamplingParameters? = nil) {
    notices(model.notices, of: model, sampling: sampling)
  }

  /// Says what loading a generator showed.
  static func notices(_ generator: TextGenerator, _ parameters: GenerationParameters) {
    notices(generator.notices, of: generator.model, sampling: parameters.sampling)
  }
}
