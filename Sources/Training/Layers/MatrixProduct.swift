import CKernels
import COpenBLAS

/// Matrix products of training, on the calling thread.
///
/// Sums are not row-invariant, so nothing here serves the target's inference path. Parallelism comes
/// from working on several sequences at once, each worker with single-threaded products: two
/// workers with one thread each beat one caller with two threads, because no product
/// waits for another.
///
/// Products of f32 values are the kernel's of `CKernelsProduct.h` where the processor has AVX-512, and
/// OpenBLAS's elsewhere; products of values rounded to bf16 are the kernel's everywhere.
package struct MatrixProduct: Sendable, Equatable {
  package let precision: ProductPrecision

  package static let f32 = MatrixProduct(.f32)

  /// Products of factors rounded to a precision; sums are f32.
  package init(_ precision: ProductPrecision) { self.precision = precision }

  /// Whose kernels multiply: `avx512`, `avx512bf16`, or `OpenBLAS Haswell` with the core that OpenBLAS
  /// chose when it was loaded, or the environment's `OPENBLAS_CORETYPE`. Figures without it can't be
  /// compared.
  package var kernels: String {
    usesBLAS ? "OpenBLAS \(Self.coreName)" : String(cString: ct_product_name(isRounded ? 1 : 0))
  }

  /// The processor whose kernels OpenBLAS has.
  package static var coreName: String { String(cString: openblas_get_corename()) }

  /// Keeps BLAS on the calling thread; every pass asks for it when it is made.
  package static func useOneThread() { _ = oneThread }

  private static let oneThread: Void = openblas_set_num_threads(1)
  private static let hasFastKernel = ct_has_fast_f32_products() != 0

  private var isRounded: Bool { precision == .bf16 }
  private var usesBLAS: Bool { !isRounded && !Self.hasFastKernel }

  /// c[m, n] = a[m, k] · b[n, k]ᵀ, or += with `accumulate`. Strides are in values.
  package func timesTransposed(
    rows m: Int, columns n: Int, inner k: Int,
    _ a: UnsafePointer<Float>, _ aStride: Int, _ b: UnsafePointer<Float>, _ bStride: Int,
    into c: UnsafeMutablePointer<Float>, _ cStride: Int, accumulate: Bool = false
  ) { multiply(m, n, k, a, aStride, false, b, bStride, true, c, cStride, accumulate) }

  /// c[m, n] = a[m, k] · b[k, n], or += with `accumulate`.
  package func times(
    rows m: Int, columns n: Int, inner k: Int,
    _ a: UnsafePointer<Float>, _ aStride: Int, _ b: UnsafePointer<Float>, _ bStride: Int,
    into c: UnsafeMutablePointer<Float>, _ cStride: Int, accumulate: Bool = false
  ) { multiply(m, n, k, a, aStride, false, b, bStride, false, c, cStride, accumulate) }

  /// c[m, n] = a[k, m]ᵀ · b[k, n], or += with `accumulate`.
  package func transposedTimes(
    rows m: Int, columns n: Int, inner k: Int,
    _ a: UnsafePointer<Float>, _ aStride: Int, _ b: UnsafePointer<Float>, _ bStride: Int,
    into c: UnsafeMutablePointer<Float>, _ cStride: Int, accumulate: Bool = false
  ) { multiply(m, n, k, a, aStride, true, b, bStride, false, c, cStride, accumulate) }

  @inline(__always)
  private func multiply(
    _ m: Int, _ n: Int, _ k: Int,
    _ a: UnsafePointer<Float>, _ aStride: Int, _ aTransposed: Bool,
    _ b: UnsafePointer<Float>, _ bStride: Int, _ bTransposed: Bool,
    _ c: UnsafeMutablePointer<Float>, _ cStride: Int, _ accumulate: Bool
  ) {
    guard !usesBLAS else {
      cblas_sgemm(
        CblasRowMajor, aTransposed ? CblasTrans : CblasNoTrans,
        bTransposed ? CblasTrans : CblasNoTrans, Int32(m), Int32(n), Int32(k), 1, a, Int32(aStride),
        b, Int32(bStride), accumulate ? 1 : 0, c, Int32(cStride))
      return
    }
    var product = ct_product(
      rows: m, columns: n, inner: k, a: a, a_row: aTransposed ? 1 : aStride,
      a_inner: aTransposed ? aStride : 1, b: b, b_inner: bTransposed ? 1 : bStride,
      b_column: bTransposed ? bStride : 1, c: c, c_row: cStride, accumulate: accumulate ? 1 : 0)
    if isRounded { ct_multiply_bf16(&product) } else { ct_multiply_f32(&product) }
  }
}

/// What the factors of training's matrix products are rounded to. Sums, parameters, gradients and the
/// optimizer are f32 either way.
package enum ProductPrecision: String, Sendable, Codable, CaseIterable {
  /// Nothing is rounded.
  case f32
  /// 8 bits of mantissa, to nearest even. Without AVX-512 BF16 the rounded values are multiplied as
  /// f32 ones, which takes longer than f32 alone.
  case bf16

  /// bf16 where the processor multiplies pairs of such values, which was measured to be faster; f32
  /// elsewhere.
  package static var fastest: ProductPrecision { ct_has_bf16_products() != 0 ? .bf16 : .f32 }
}
