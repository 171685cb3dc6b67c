// Arrays lent to passes, which take pointers to first elements. An array that lends has elements.

extension Array {
  func withBase<R>(_ body: (UnsafePointer<Element>) -> R) -> R { body(self) }
}

func withBases<A, B, C, R>(
  _ a: [A], _ b: [B], _ c: [C],
  _ body: (UnsafePointer<A>, UnsafePointer<B>, UnsafePointer<C>) -> R
) -> R { body(a, b, c) }
