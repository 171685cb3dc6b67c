/// A page that needs nothing beside it, with the style that all reports share.
enum ReportPage {
  /// The page.
  ///
  /// - Parameter parts: Markup, in order; empty parts are left out.
  static func html(title: String, parts: [String]) -> String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(Markup.escaped(title))</title>
    <style>
    \(ChartTheme.variables)
    \(ChartTheme.classes)
    \(PageStyle.text)
    </style>
    </head>
    <body>
    <main>
    \(parts.filter { !$0.isEmpty }.joined(separator: "\n"))
    </main>
    </body>
    </html>

    """
  }

  /// Charts side by side, with what is to be said of each.
  static func figures(_ charts: [Chart]) -> String {
    let figures = charts.map { chart in
      """
      <figure id="\(chart.name)"\(chart.drawings.count > 1 ? " class=\"wide\"" : "")>
      <div class="drawings">\(chart.drawings.map(\.inline).joined())</div><figcaption>\(Markup.escaped(chart.caption))</figcaption>
      </figure>

      """
    }
    return "<h2>Charts</h2>\n<div class=\"charts\">\n\(figures.joined())</div>"
  }
}
