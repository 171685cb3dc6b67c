import TestSupport

extension TemporaryFolder {
  /// The folder of a model with these files.
  convenience init(config: String, generation: String? = nil) throws {
    try self.init()
    try write(config.utf8, to: "config.json")
    if let generation { try write(generation.utf8, to: "generation_config.json") }
  }
}
