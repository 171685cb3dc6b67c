/// The frame that charts with two axes share: title, legend, grid, ticks, names of the axes.
struct ChartFrame {
  struct Key {
    var name: String
    var color: String
    var dash = ""
    var isArea = false
  }

  var drawing: SVGDrawing
  let x: Scale
  let y: Scale
  /// Where the plot's upper edge lies.
  let top: Double

  private static let left = 44.0
  private static let right = 12.0
  private static let plotHeight = 200.0

  /// Draws the frame.
  ///
  /// - Parameters:
  ///   - xTicks: the numbers below the plot; nil takes the scale's.
  ///   - scales: makes the axes for the plot's edges: left, right, bottom, top.
  init(
    title: String, keys: [Key], xName: String, yName: String, plotHeight: Double = plotHeight,
    xTicks: [(Double, String)]? = nil,
    scales: (_ left: Double, _ right: Double, _ bottom: Double, _ top: Double) -> (Scale, Scale)
  ) {
    let legend = Legend(keys)
    let legendHeight = keys.isEmpty ? 0 : legend.height
    top = 54 + legendHeight
    let bottom = top + plotHeight
    drawing = SVGDrawing(title: title, height: bottom + 42)
    legend.draw(into: &drawing, y: 23)
    drawing.text(yName, x: 0, y: top - 14, classes: "soft")
    (x, y) = scales(Self.left, SVGDrawing.width - Self.right, bottom, top)
    for tick in y.ticks {
      drawing.line(Self.left, y(tick), SVGDrawing.width - Self.right, y(tick), classes: "grid")
      drawing.text(y.label(tick), x: Self.left - 6, y: y(tick) + 4, anchor: .end, classes: "soft")
    }
    drawing.line(Self.left, bottom, SVGDrawing.width - Self.right, bottom, classes: "axis")
    let ticks = xTicks ?? x.ticks.map { ($0, x.label($0)) }
    for (place, label) in Self.legible(ticks, x) {
      drawing.text(label, x: x(place), y: bottom + 18, anchor: .middle, classes: "soft")
    }
    drawing.text(
      xName, x: SVGDrawing.width - Self.right, y: bottom + 36, anchor: .end, classes: "soft")
  }

  /// A frame over whole numbers, with heights from 0 to `greatest`.
  init(
    title: String, keys: [Key], xName: String, yName: String, places: ClosedRange<Int>,
    greatest: Double
  ) {
    self.init(
      title: title, keys: keys, xName: xName, yName: yName,
      xTicks: places.map { (Double($0), "\($0)") }
    ) { left, right, bottom, top in
      (
        Scale(places: places, start: left + 10, end: right - 10),
        Scale(0...greatest, start: bottom, end: top)
      )
    }
  }

  /// Every n-th tick, so that their labels don't touch.
  private static func legible(_ ticks: [(Double, String)], _ x: Scale) -> [(Double, String)] {
    let widest = ticks.map { SVGDrawing.width(of: $0.1) + 8 }.max() ?? 0
    guard ticks.count > 1 else { return ticks }
    let apart = abs(x(ticks[1].0) - x(ticks[0].0))
    let every = max(1, Int((widest / max(apart, 0.1)).rounded(.up)))
    return ticks.enumerated().filter { $0.offset % every == 0 }.map(\.element)
  }
}

/// Names of colours, in as many rows as they need.
struct Legend {
  private let places: [(key: ChartFrame.Key, x: Double, row: Int)]
  private let rows: Int
  private static let rowHeight = 18.0

  init(_ keys: [ChartFrame.Key]) {
    var places: [(key: ChartFrame.Key, x: Double, row: Int)] = []
    var (x, row) = (0.0, 0)
    for key in keys {
      var key = key
      key.name = SVGDrawing.fitted(key.name, width: SVGDrawing.width - 30)
      let width = 30 + SVGDrawing.width(of: key.name)
      if x > 0, x + width > SVGDrawing.width { (x, row) = (0, row + 1) }
      places.append((key, x, row))
      x += width + 8
    }
    self.places = places
    rows = keys.isEmpty ? 0 : row + 1
  }

  var height: Double { Double(rows) * Self.rowHeight }

  /// Draws the names, the first row's upper edge at `y`.
  func draw(into drawing: inout SVGDrawing, y: Double) {
    for (key, x, row) in places {
      let middle = y + (Double(row) + 0.5) * Self.rowHeight
      if key.isArea {
        drawing.rectangle(x: x, y: middle - 5, width: 18, height: 10, fill: key.color)
      } else {
        drawing.curve([(x, middle), (x + 18, middle)], stroke: key.color, dash: key.dash)
      }
      drawing.text(key.name, x: x + 24, y: middle + 4)
    }
  }
}
