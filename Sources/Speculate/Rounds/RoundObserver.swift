/// Is told every round of a generation, for traces and analyses.
///
/// Without an observer a decoder computes nothing for it. With one, probabilities and candidates are
/// computed after each round, outside the times that are told.
public protocol RoundObserver: AnyObject {
  /// Takes one round, in order, on the thread that decodes.
  func observe(_ round: RoundRecord)
}
