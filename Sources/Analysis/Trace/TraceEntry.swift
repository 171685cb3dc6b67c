/// One generation of a trace: which prompt under which configuration, and its rounds.
package struct TraceEntry: Sendable, Equatable {
  /// The index of the configuration in the header.
  package var configuration: Int
  package var prompt: Int
  /// Which repetition it is, from 0.
  package var repetition: Int
  package var generation: TracedGeneration

  package init(
    configuration: Int, prompt: Int, repetition: Int, generation: TracedGeneration
  ) {
    self.configuration = configuration
    self.prompt = prompt
    self.repetition = repetition
    self.generation = generation
  }
}
