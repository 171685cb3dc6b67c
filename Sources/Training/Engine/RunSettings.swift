import Drafter
import Files
import Foundation
import Verifier

/// The settings that decide what a run makes, by their names, as its output folder remembers them
/// (``OutputClaim/Job``): a run of others doesn't go on in it.
///
/// Left out is what only decides how fast it goes and what it tells of itself, and what is checked
/// elsewhere: `precision` by the checkpoint, the settings of responses by their manifest.
struct RunSettings {
  private(set) var values: [String: String]

  init(_ values: [String: String] = [:]) { self.values = values }

  /// Notes a value; nil for one that isn't given.
  mutating func note<Value>(_ name: String, _ value: Value?) {
    values[name] = value.map { "\($0)" }
  }

  /// Notes what files hold, wherever they lie.
  mutating func note(_ name: String, contentsOf files: [URL]) throws {
    guard !files.isEmpty else { return }
    values[name] = OutputClaim.Job.fingerprint(
      try files.reduce(0) { try $0 &* 31 &+ FileFingerprint.of($1) })
  }

  mutating func note(_ name: String, fingerprint: UInt64) {
    values[name] = OutputClaim.Job.fingerprint(fingerprint)
  }
}

extension RunSettings {
  /// What every training takes.
  init(_ run: RunOptions) {
    self.init()
    note("steps", run.steps)
    note("batch", run.sequences)
    note("learning rate", run.learningRate)
    note("floor", run.floorShare)
    switch run.warmup {
    case .steps(let count): note("warmup", count)
    case .share(let share): note("warmup", share)
    }
    note("weight decay", run.optimizer.weightDecay)
    note("beta1", run.optimizer.beta1)
    note("beta2", run.optimizer.beta2)
    note("clip", run.clip)
    note("seed", run.seed)
    note("dtype", run.exportType)
  }

  /// What responses depend on that are made for a run, and how many there are.
  mutating func note(_ plan: ResponseRecipe.Plan) {
    note("responses", plan.options.count)
    values.merge(plan.settings.named) { own, _ in own }
  }

  /// What folders of responses or trajectories hold that were made earlier: their manifests have
  /// fingerprints of all shards.
  mutating func note(_ name: String, madeIn folders: [URL]) throws {
    let manifests = folders.map { $0.appendingPathComponent("manifest.json") }
    // Reading a folder without one tells.
    try note(
      name, contentsOf: manifests.filter { FileManager.default.fileExists(atPath: $0.path) })
  }
}

extension PretrainOptions {
  func settings() throws -> [String: String] {
    var settings = RunSettings(run)
    settings.note("vocabulary", architecture.vocabularySize)
    settings.note("hidden", architecture.hiddenSize)
    settings.note("intermediate", architecture.intermediateSize)
    settings.note("layers", architecture.layerCount)
    settings.note("heads", architecture.headCount)
    settings.note("kv heads", architecture.keyValueHeadCount)
    settings.note("head dim", architecture.headDimension)
    settings.note("rope theta", architecture.ropeTheta)
    settings.note("context", architecture.maximumContext)
    settings.note("length", length)
    settings.note("skip", skippedWindows)
    settings.note("grow", growth)
    if let documents {
      try settings.note("data", contentsOf: [documents])
    } else {
      try settings.note("tokens", contentsOf: [trainingTokens])
    }
    try settings.note("tokenizer", contentsOf: tokenizer.map { [$0] } ?? [])
    try settings.note(
      "init from", contentsOf: initialModel.map(InitialModel.files) ?? [])
    return settings.values
  }
}

extension DistillOptions {
  /// - Parameters:
  ///   - target: The fingerprint of the target's weights.
  ///   - plan: The responses that are made for the run; nil for those made earlier.
  func settings(target: UInt64, plan: ResponseRecipe.Plan?) throws -> [String: String] {
    var settings = RunSettings(run)
    settings.note("target", fingerprint: target)
    if let plan { settings.note(plan) }
    if case .made(let folders) = responses {
      try settings.note("responses from", madeIn: folders)
    }
    settings.note("kind", kind.rawValue)
    settings.note("width", width)
    settings.note("own embedding", ownsEmbedding ? true : nil)
    settings.note("block size", blockSize)
    settings.note("shortest block", shortestBlock)
    settings.note("sample from anchor", samplesAnchor ? true : nil)
    settings.note("causal block", isCausal ? true : nil)
    settings.note("layers", layerCount)
    settings.note("target layers", targetLayers)
    settings.note("mask token", maskToken)
    for head in heads { settings.note(head.setting.name, head.setting.value) }
    switch initialization {
    case nil: break
    case .random: settings.note("init", "random")
    case .target(let layers):
      settings.note("init", "target" + (layers.map { " \($0)" } ?? ""))
    case .drafter(let folder):
      try settings.note(
        "init",
        contentsOf: GGUFFile.isMeant(by: folder)
          ? GGUFFile(url: folder).files : Checkpoint(directory: folder).files)
    case .model(let folder): try settings.note("init", contentsOf: ModelWeights(folder).files)
    }
    if case .drafter = initialization {} else { settings.note("draft vocabulary", draftVocabulary) }
    settings.note("anchors", anchors)
    settings.note("cross entropy", objective.crossEntropy)
    settings.note("divergence", objective.divergence)
    settings.note("variation", objective.variation)
    settings.note("certainty", objective.certainty)
    switch objective.rowWeights {
    case .decay(let decay): settings.note("decay", decay)
    case .pace: settings.note("row weights", "pace")
    }
    if let stages = tokenStages {
      settings.note("refinement steps", stages.refinementSteps)
      settings.note("refinement rate", stages.refinementRate)
      settings.note("least noise", stages.leastNoise)
      settings.note("masked share", stages.maskedShare)
      settings.note("alpha", stages.alpha)
      settings.note("views", stages.views == .single ? nil : stages.views.rawValue)
      settings.note("left share", stages.leftShare > 0 ? stages.leftShare : nil)
      settings.note("spread levels", stages.spreadsLevels ? true : nil)
      settings.note("growth steps", stages.growthSteps > 0 ? stages.growthSteps : nil)
    }
    return settings.values
  }
}

extension ForceOptions {
  /// - Parameters:
  ///   - target: The fingerprint of the target's weights.
  ///   - plan: The responses that are made for the run; nil for those made earlier.
  func settings(target: UInt64, plan: ResponseRecipe.Plan?) throws -> [String: String] {
    var settings = RunSettings(run)
    settings.note("target", fingerprint: target)
    if let plan { settings.note(plan) }
    if case .made(let folder) = trajectories {
      try settings.note(
        "trajectories from",
        madeIn: blockSizes.map { folder.appendingPathComponent("trajectories-\($0)") })
    }
    settings.note("block", blockSize)
    settings.note("block growth", growthStep)
    settings.note("window", schedule.window)
    settings.note("context", schedule.seesNoise ? "noisy" : "clean")
    settings.note("decay", schedule.decay)
    settings.note("clean", objective.clean)
    settings.note("divergence", objective.divergence)
    settings.note("freeze embedding", trainsEmbedding ? nil : true)
    settings.note("copies", copies)
    return settings.values
  }
}
