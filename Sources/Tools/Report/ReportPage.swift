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

enum PageStyle {
  static let text = """
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.45;
      font: 15px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
    main { max-width: 1080px; margin: 0 auto; padding: 24px 16px 48px; }
    h1 { font-size: 24px; margin: 0 0 4px; }
    h2 { font-size: 18px; margin: 36px 0 10px; }
    p { margin: 6px 0; max-width: 75ch; }
    .soft, figcaption { color: var(--soft); font-size: 13px; }
    .answer { font-size: 17px; margin: 16px 0; padding: 12px 14px; border-left: 4px solid var(--s2);
      background: var(--faint); max-width: none; }
    .answer.bad { border-color: var(--bad); }
    .charts { display: grid; gap: 24px; align-items: start;
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr)); }
    figure { margin: 0; padding: 14px; border: 1px solid var(--line); border-radius: 8px;
      background: var(--panel); min-width: 0; }
    .charts { grid-auto-flow: dense; }
    .wide { grid-column: 1 / -1; }
    .wide .drawings { display: grid; gap: 8px 24px;
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); }
    figure svg { display: block; width: 100%; height: auto; max-width: 520px; margin: 0 auto 18px; }
    table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
    th, td { padding: 6px 10px 6px 0; text-align: right; border-bottom: 1px solid var(--line);
      vertical-align: top; }
    th { font-weight: 600; font-size: 13px; color: var(--soft); vertical-align: bottom; }
    th:first-child, td:first-child, .words { text-align: left; }
    td { white-space: nowrap; }
    td:first-child { white-space: normal; overflow-wrap: anywhere; }
    td small { display: block; color: var(--soft); font-size: 12px; white-space: nowrap; }
    .good { color: var(--good); } .bad { color: var(--bad); }
    .example { border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px;
      background: var(--panel); min-width: 0; }
    pre { margin: 8px 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px;
      font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
    pre .kept { color: var(--good); font-weight: 600; }
    pre .lost { color: var(--bad); text-decoration: line-through; font-weight: 600; }
    pre .own { color: var(--s0); font-weight: 600; }
    .candidates { display: grid; grid-template-columns: 1fr 1fr; gap: 14px; font-size: 13px; }
    .candidates ol { margin: 2px 0 0; padding: 0; list-style: none; }
    .candidates li { display: flex; justify-content: space-between; gap: 8px;
      border-bottom: 1px solid var(--faint); }
    .candidates span { white-space: nowrap; }
    .candidates code { overflow-wrap: anywhere; min-width: 0; white-space: pre-wrap; }
    .candidates .chosen { font-weight: 700; }
    @media (max-width: 640px) {
      h1 { font-size: 21px; }
      thead { display: none; }
      tr { display: block; padding: 8px 0; border-bottom: 1px solid var(--line); }
      td, td:first-child { display: flex; justify-content: space-between; gap: 12px; border: 0;
        padding: 2px 0; text-align: right; white-space: normal; }
      td:first-child { font-weight: 600; }
      td::before { content: attr(data-name); color: var(--soft); font-weight: 400; text-align: left; }
      td:empty { display: none; }
      td small { display: inline; margin-left: 6px; }
    }
    @media print { .charts { display: block; } figure { break-inside: avoid; margin-bottom: 16px; } }
    """
}
