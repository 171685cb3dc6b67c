package import Drafter
package import Files
package import Tensors

/// A drafter beside one sequence: its passes, and the one context that they are for.
package final class SingleDrafter {
  package let runner: DrafterRunner
  package let context: DrafterContext

  package init(
    drafter: BlockDrafter, embedding: TokenEmbedding, head: PackedMatrix, workers: Workers,
    capacity: Int, maximumBlocks: Int = 1
  ) {
    runner = DrafterRunner(
      drafter: drafter, embedding: embedding, head: head, workers: workers,
      maximumBlocks: maximumBlocks)
    do {
      context = try runner.makeContext(capacity: capacity)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  package var drafter: BlockDrafter { runner.drafter }
  package var contextCount: Int { context.count }
  package var drafts: [Token] { context.drafts }
  package var passes: Int { context.passes }

  package func appendContext(_ features: UnsafePointer<Float>, rows: Int) {
    runner.append(features, rows: rows, to: context)
  }

  package func appendContext(_ tokens: ArraySlice<Token>) { runner.append(tokens, to: context) }

  package func rewind(to position: Int) { context.rewind(to: position) }

  package func confidence(_ place: Int, probability: Float) -> Float {
    runner.confidence(place, of: context, probability: probability)
  }

  package func draft(
    anchor: Token, count: Int,
    choose: (_ place: Int, _ logits: UnsafeMutablePointer<Float>) -> Int
  ) {
    runner.draft([DrafterBlock(context: context, anchor: anchor, count: count)]) {
      choose($1, $2)
    }
  }
}
