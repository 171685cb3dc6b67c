import Hummingbird
import Logging
import NIOCore

/// What a request's handler knows of its connection.
struct ServerContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
  }

  /// Tells when the client goes away; nil if it has gone already.
  func watch() async -> ConnectionWatch? {
    try? await channel.pipeline.handler(type: ConnectionWatch.self).get()
  }

  /// Closes the connection a moment later, so that an answer before is read, however much the client goes on
  /// sending.
  func closeSoon() {
    channel.eventLoop.scheduleTask(in: .seconds(1)) { [channel] in
      channel.close(promise: nil)
    }
  }
}
