/// What one request may take.
package struct ServerLimits: Sendable {
  /// Bytes of a body.
  package var body: Int
  /// Seconds within which a body has to come.
  package var bodySeconds: Double
  /// Seconds that an answer may take.
  package var answerSeconds: Double
  /// Seconds that a connection may stay without a request.
  package var idleSeconds: Double
  /// Connections at a time; more wait until one ends.
  package var connections: Int

  package init(
    body: Int = 8 << 20, bodySeconds: Double = 30, answerSeconds: Double = 600,
    idleSeconds: Double = 75, connections: Int = 1024
  ) {
    self.body = body
    self.bodySeconds = bodySeconds
    self.answerSeconds = answerSeconds
    self.idleSeconds = idleSeconds
    self.connections = connections
  }
}
