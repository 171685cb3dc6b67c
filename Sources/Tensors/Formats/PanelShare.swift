/// One worker's part of several matrices, divided as if their panels were one matrix's.
///
/// Small matrices then cost one region together, and workers still finish at the same time.
struct PanelShare {
  private let share: Range<Int>
  private var start = 0

  /// The part of `worker` of `panels` panels in all.
  init(panels: Int, worker: Int, of workers: Int) {
    share = (0..<panels).share(of: worker, among: workers)
  }

  /// The worker's panels of the next matrix; possibly none.
  mutating func next(_ matrix: PackedMatrix) -> Range<Int> {
    defer { start += matrix.panelCount }
    let panels = share.clamped(to: start..<start + matrix.panelCount)
    return panels.lowerBound - start..<panels.upperBound - start
  }
}
