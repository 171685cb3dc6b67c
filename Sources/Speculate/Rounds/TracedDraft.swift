/// What a decoder tells about a verified draft.
package struct TracedDraft {
  /// Where it came from; where sources agree, the first of them.
  package var origin: DraftOrigin
  /// Its probability by the source's own account, if it has one.
  package var confidence: Float?
}
