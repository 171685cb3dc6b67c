package import Files
import Foundation
import Tensors

/// One sequence's block between its passes: what is drafted of it, and what the last pass says of the rest.
///
/// Places count from 0, the one after the anchor.
package struct DenoisedBlock {
  package private(set) var anchor: Token = 0
  /// The drafts so far; nil where a mask still stands.
  package private(set) var drafts: [Token?] = []
  package private(set) var passes = 0

  /// The places whose drafts are to be chosen of the last pass.
  private var isDue: [Bool] = []
  private var logits: UnsafePointer<Float>?
  let capacity: Int
  let choices: Int

  /// Makes room for blocks of up to `capacity` drafts among `choices` tokens.
  package init(capacity: Int, choices: Int) {
    self.capacity = capacity
    self.choices = choices
    drafts.reserveCapacity(capacity)
    isDue.reserveCapacity(capacity)
  }

  /// How sure the last pass is of the likeliest token of a place, by itself: its probability.
  package func certainty(of place: Int) -> Float {
    guard let logits else { return 0 }
    let row = UnsafeBufferPointer(start: logits + place * choices, count: choices)
    let top = Kernels.maximum(logits + place * choices, count: choices)
    return 1 / row.reduce(0) { $0 + exp($1 - top) }
  }

  /// The token that a row of a pass shows, row 0 being the anchor's; nil for a mask.
  func token(ofRow row: Int) -> Token? {
    row == 0 ? anchor : row <= drafts.count ? drafts[row - 1] : nil
  }

  package var hasMasks: Bool { drafts.contains(nil) }

  package func isDue(_ place: Int) -> Bool { place < isDue.count && isDue[place] }

  package mutating func begin(anchor: Token, count: Int) {
    self.anchor = anchor
    passes = 0
    drafts.removeAll(keepingCapacity: true)
    isDue.removeAll(keepingCapacity: true)
    for _ in 0..<count {
      drafts.append(nil)
      isDue.append(false)
    }
  }

  /// Takes the logits of a pass, [drafts][choices], and asks the policy what is due.
  package mutating func finishPass(_ logits: UnsafePointer<Float>, _ policy: any DenoisingPolicy) {
    passes += 1
    self.logits = logits
    if case .fix(let places) = policy.next(self) {
      for place in places where drafts[place] == nil { isDue[place] = true }
    }
    guard !isDue.contains(true) else { return }
    for place in drafts.indices where drafts[place] == nil { isDue[place] = true }
  }

  package mutating func set(_ token: Token, at place: Int) {
    drafts[place] = token
    isDue[place] = false
  }
}
