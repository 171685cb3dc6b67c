import Foundation

/// Seconds of a pass as a function of its width: a few measured nodes, straight lines between.
///
/// The curve never falls: a wider pass does more work, and noise that says otherwise is averaged
/// away. Measured times keep correcting it while decoding runs.
package struct PassTimes: Sendable, Equatable, Codable {
  /// Widths of the nodes, rising.
  package private(set) var widths: [Int]
  /// Seconds at the nodes, never falling.
  package private(set) var seconds: [Double]

  /// How much one measured pass moves the whole curve, and the nodes beside it once more: shares
  /// of the logarithm of measured over expected time.
  private static let wholeShare = 0.03
  private static let nodeShare = 0.15

  /// Makes a curve from measurements, in any order; repeated widths are averaged.
  ///
  /// - Parameter samples: at least one; widths at least 1, seconds above 0.
  package init(_ samples: [(width: Int, seconds: Double)]) {
    precondition(!samples.isEmpty, "a curve needs a measurement")
    precondition(samples.allSatisfy { $0.width >= 1 && $0.seconds > 0 && $0.seconds.isFinite })
    let groups = Dictionary(grouping: samples, by: \.width)
    widths = groups.keys.sorted()
    seconds = widths.map { width in
      let times = groups[width, default: []].map(\.seconds)
      return times.reduce(0, +) / Double(times.count)
    }
    straighten()
  }

  /// Expected seconds of a pass of `width`. Outside the nodes the nearest line goes on, not below
  /// the first node's time.
  package func callAsFunction(_ width: Int) -> Double {
    guard widths.count > 1, width > widths[0] else { return seconds[0] }
    let right = min(widths.firstIndex { $0 >= width } ?? widths.count - 1, widths.count - 1)
    let share = weight(of: right, at: width)
    return seconds[right - 1] + share * (seconds[right] - seconds[right - 1])
  }

  /// Corrects the curve by a measured pass.
  ///
  /// The whole curve moves, because what slows one width (another program, a longer context) slows
  /// all; the nodes beside the width move further, so that the shape is learned too. One outlier
  /// counts as a factor of two at most. A width far beyond the last node becomes one.
  package mutating func record(width: Int, seconds measured: Double) {
    guard measured > 0, measured.isFinite else { return }
    if let last = widths.last, width >= 2 * last {
      seconds.append(min(max(measured, self(last)), 2 * self(width)))
      widths.append(width)
      return
    }
    let ratio = log(min(max(measured / self(width), 0.5), 2))
    let whole = exp(ratio * Self.wholeShare)
    for node in seconds.indices { seconds[node] *= whole }
    let right = widths.firstIndex { $0 >= width } ?? widths.count - 1
    if right == 0 {
      seconds[0] *= exp(ratio * Self.nodeShare)
    } else {
      let share = min(1, weight(of: right, at: width))
      seconds[right] *= exp(ratio * Self.nodeShare * share)
      seconds[right - 1] *= exp(ratio * Self.nodeShare * (1 - share))
    }
    straighten()
  }

  /// This curve, moved to go through fresh measurements.
  ///
  /// Each node's time is multiplied by the ratio of fresh to old at its width. Between measurements
  /// the ratio's logarithm is on a straight line over the logarithm of the width; beyond them it is
  /// that of the nearest.
  ///
  /// - Parameter samples: with rising widths, at least one; seconds above 0.
  package func moved(to samples: [(width: Int, seconds: Double)]) -> PassTimes {
    let ratios = samples.map {
      (width: log(Double($0.width)), ratio: log($0.seconds / self($0.width)))
    }
    var moved = self
    for (node, width) in widths.enumerated() {
      let width = log(Double(width))
      let right = ratios.firstIndex { $0.width >= width } ?? ratios.count - 1
      var ratio = ratios[right].ratio
      if right > 0, ratios[right].width > width {
        let left = ratios[right - 1]
        let share = (width - left.width) / (ratios[right].width - left.width)
        ratio = left.ratio + share * (ratio - left.ratio)
      }
      moved.seconds[node] *= exp(ratio)
    }
    moved.straighten()
    return moved
  }

  /// How far `width` stands on the way from the node before `right` to `right`.
  private func weight(of right: Int, at width: Int) -> Double {
    Double(width - widths[right - 1]) / Double(widths[right] - widths[right - 1])
  }

  /// Averages neighbours that fall (pool adjacent violators), so that the curve rises or is flat.
  private mutating func straighten() {
    var node = 1
    while node < seconds.count {
      guard seconds[node] < seconds[node - 1] else {
        node += 1
        continue
      }
      var first = node - 1
      var sum = seconds[node] + seconds[first]
      while first > 0, seconds[first - 1] > sum / Double(node - first + 1) {
        first -= 1
        sum += seconds[first]
      }
      let mean = sum / Double(node - first + 1)
      for pooled in first...node { seconds[pooled] = mean }
      node += 1
    }
  }
}
