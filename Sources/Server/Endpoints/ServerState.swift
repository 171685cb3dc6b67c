import Speculate
import Synchronization

/// What the server knows of itself: the model, once it is loaded.
package final class ServerState: Sendable {
  private let loaded = Mutex<ModelService?>(nil)

  package init() {}

  /// Serves a model from now on.
  package func serve(_ service: ModelService) { loaded.withLock { $0 = service } }

  package var service: ModelService? { loaded.withLock { $0 } }

  /// The model for a request.
  ///
  /// - Throws: ``APIError`` (503) while it loads, and once the server leaves.
  func ready() throws -> ModelService {
    guard let service else {
      throw APIError(
        503, "the model is loading; try again soon", code: "loading", retryAfter: 5)
    }
    guard service.generator.isOpen else {
      throw APIError.leaving
    }
    return service
  }
}
