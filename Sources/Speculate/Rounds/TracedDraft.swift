/// What a decoder tells about a verified draft.
struct TracedDraft {
  /// Where it came from; where sources agree, the first of them.
  var origin: DraftOrigin
  /// Its probability by the source's own account, if it has one.
  var confidence: Float?
}
