import Foundation

/// A drawing in SVG: shapes and texts in a fixed frame, coloured by style sheet.
struct SVGDrawing {
  enum Anchor: String {
    case start, middle, end
  }

  /// The frame's width, the same for all charts: small enough that texts stay legible on a phone.
  static let width = 440.0
  let title: String
  private(set) var height: Double
  private var body = ""

  /// Starts a drawing with its title at the top.
  init(title: String, height: Double) {
    self.title = title
    self.height = height
    text(title, x: 0, y: 15, classes: "title")
  }

  /// The width that a text takes at most, at 12 pixels.
  static func width(of text: String) -> Double {
    text.reduce(0) { sum, character in
      sum
        + (character.isUppercase || "mwMW%=@".contains(character)
          ? 9 : "il.,:'|! ".contains(character) ? 4.2 : 7.1)
    }
  }

  /// A text that fits a width, its end cut off if it must be.
  static func fitted(_ text: String, width: Double) -> String {
    guard Self.width(of: text) > width else { return text }
    var cut = text
    while !cut.isEmpty, Self.width(of: cut + "…") > width { cut.removeLast() }
    return cut + "…"
  }

  mutating func text(
    _ text: String, x: Double, y: Double, anchor: Anchor = .start, classes: String = ""
  ) {
    add(
      "text",
      [
        "x": Self.number(x), "y": Self.number(y),
        "text-anchor": anchor == .start ? "" : anchor.rawValue, "class": classes,
      ], content: Markup.escaped(text))
  }

  mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, classes: String, style: String = ""
  ) {
    add(
      "line",
      [
        "x1": Self.number(x1), "y1": Self.number(y1), "x2": Self.number(x2), "y2": Self.number(y2),
        "class": classes, "style": style,
      ])
  }

  /// A rectangle; `hint` is what a pointer over it shows.
  mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, fill: String, classes: String = "",
    hint: String = ""
  ) {
    add(
      "rect",
      [
        "x": Self.number(x), "y": Self.number(y), "width": Self.number(max(0, width)),
        "height": Self.number(max(0, height)), "style": "fill:\(fill)", "class": classes,
      ], hint: hint)
  }

  mutating func circle(
    x: Double, y: Double, radius: Double, fill: String, stroke: String = "var(--panel)",
    width: Int = 1, hint: String = ""
  ) {
    add(
      "circle",
      [
        "cx": Self.number(x), "cy": Self.number(y), "r": Self.number(radius),
        "style": "fill:\(fill);stroke:\(stroke);stroke-width:\(width)",
      ], hint: hint)
  }

  /// An open line through points.
  mutating func curve(_ points: [(Double, Double)], stroke: String, dash: String = "") {
    guard !points.isEmpty else { return }
    let dashes = dash.isEmpty ? "" : ";stroke-dasharray:\(dash)"
    add("path", ["d": Self.path(points), "class": "curve", "style": "stroke:\(stroke)\(dashes)"])
  }

  /// The area between an upper and a lower line over the same places.
  mutating func band(upper: [(Double, Double)], lower: [(Double, Double)], fill: String) {
    guard upper.count > 1 else { return }
    let outline = Self.path(upper + lower.reversed()) + "Z"
    add("path", ["d": outline, "class": "band", "style": "fill:\(fill)"])
  }

  /// Adds an element; attributes without a value are left out.
  private mutating func add(
    _ name: String, _ attributes: KeyValuePairs<String, String>, content: String = "",
    hint: String = ""
  ) {
    let text = attributes.filter { !$0.value.isEmpty }.map { " \($0.key)=\"\($0.value)\"" }.joined()
    let content = hint.isEmpty ? content : "<title>\(Markup.escaped(hint))</title>"
    body += "<\(name)\(text)" + (content.isEmpty ? "/>\n" : ">\(content)</\(name)>\n")
  }

  /// As part of a page that has the style sheet.
  var inline: String {
    "<svg class=\"chart\" viewBox=\"0 0 \(Self.number(Self.width)) \(Self.number(height))\""
      + " role=\"img\" aria-label=\"\(Markup.escaped(title))\">\n\(body)</svg>\n"
  }

  var file: String {
    "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\""
      + " viewBox=\"-12 -8 \(Self.number(Self.width + 24)) \(Self.number(height + 16))\""
      + " width=\"\(Self.number((Self.width + 24) * 2))\">\n<style>\n\(ChartTheme.variables)\n"
      + "\(ChartTheme.classes)\nsvg { background: var(--panel); }\n</style>\n"
      + "<title>\(Markup.escaped(title))</title>\n\(body)</svg>\n"
  }

  private static func path(_ points: [(Double, Double)]) -> String {
    points.enumerated().map { "\($0 == 0 ? "M" : "L")\(number($1.0)) \(number($1.1))" }.joined()
  }

  /// A coordinate with at most two decimals.
  static func number(_ value: Double) -> String {
    var text = String(format: "%.2f", value.isFinite ? value : 0)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text == "-0" ? "0" : text
  }
}
