/// The colours of charts and page, in light and dark.
///
/// Series colours follow Okabe and Ito (2008), which colour-blind readers tell apart, made lighter or
/// darker until each stands out from its background; lines also differ in their dashes.
enum ChartTheme {
  /// Colours of series before they repeat.
  static let seriesCount = 6

  /// Variables for both schemes, as a style sheet.
  static let variables = """
    :root {
      color-scheme: light dark;
      --page: #ffffff; --panel: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #d5dae0;
      --faint: #eef1f4; --s0: #0068a8; --s1: #c2500a; --s2: #00805c; --s3: #a8478a; --s4: #7a6200;
      --s5: #5a47b8; --plain: #7a838c; --good: #00724f; --bad: #b3261e;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --page: #12161b; --panel: #1a2027; --ink: #e8ecf0; --soft: #a3adb8; --line: #3a434d;
        --faint: #242b33; --s0: #5cb3ec; --s1: #ff9a57; --s2: #45cfa0; --s3: #ee9dd0;
        --s4: #e2c04c; --s5: #b3a1ff; --plain: #8f99a3; --good: #52d6a4; --bad: #ff8a80;
      }
    }
    """

  /// The classes that charts use.
  static let classes = """
    .chart { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
    .chart text { fill: var(--ink); }
    .chart .soft { fill: var(--soft); }
    .chart .halo { paint-order: stroke; stroke: var(--panel); stroke-width: 3px; }
    .chart .title { font-size: 14px; font-weight: 600; }
    .chart .grid { stroke: var(--line); stroke-width: 1; }
    .chart .axis { stroke: var(--soft); stroke-width: 1; }
    .chart .mark { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 5 4; fill: none; }
    .chart .whisker { stroke: var(--ink); stroke-width: 1.5; }
    .chart .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
    .chart .band { opacity: 0.18; }
    .chart .pale { opacity: 0.45; }
    """
}
