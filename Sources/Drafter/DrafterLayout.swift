package import Tensors

/// The names and shapes of a drafter's tensors, once for loading, training and export: those of published
/// DFlash drafters.
///
/// Heads name their own (`BlockHeadConfiguration.tensors`).
package struct DrafterLayout: Sendable, Equatable {
  /// `fc`, which fuses the target's features, and the norm behind it; nil for a drafter that sees tokens.
  package let fusion: Fusion?
  /// An embedding of the drafter's own; nil for one that borrows its target's.
  package let embedding: NamedShape?
  /// A head of the drafter's own, [choices][hidden]; nil for one that borrows its target's, or whose embedding
  /// it is.
  package let head: NamedShape?
  package let finalNorm: NamedShape
  /// What maps the draft vocabulary: entry `i` is the token of draft index `i` less `i`, as EAGLE-3
  /// checkpoints store it; nil for the whole vocabulary.
  package let draftVocabulary: NamedShape?

  /// The tensors that make context of features.
  package struct Fusion: Sendable, Equatable {
    /// [hidden][taps · hidden]
    package let matrix: NamedShape
    /// [hidden]
    package let norm: NamedShape
  }

  package init(_ drafter: DrafterConfiguration) {
    let hidden = drafter.shape.hidden
    fusion =
      drafter.kind.readsFeatures
      ? Fusion(
        matrix: NamedShape("fc.weight", [hidden, drafter.targetLayers.count * hidden]),
        norm: NamedShape("hidden_norm.weight", [hidden])) : nil
    embedding =
      drafter.ownsEmbedding
      ? NamedShape("embed_tokens.weight", [drafter.vocabularySize, hidden]) : nil
    head = drafter.ownsHead ? NamedShape("lm_head.weight", [drafter.choices, hidden]) : nil
    finalNorm = NamedShape("norm.weight", [hidden])
    draftVocabulary = drafter.draftVocabularySize.map { NamedShape("d2t", [$0]) }
  }
}

extension DrafterConfiguration {
  package var layout: DrafterLayout { DrafterLayout(self) }

  /// The heads, each with what it is built into.
  package var placedHeads: [(head: any BlockHeadConfiguration, place: HeadPlace)] {
    zip(heads.list, heads.previousWidths).map { head, width in
      (
        head,
        HeadPlace(
          hidden: shape.hidden, vocabularySize: vocabularySize, choices: choices,
          previousWidth: width)
      )
    }
  }
}
