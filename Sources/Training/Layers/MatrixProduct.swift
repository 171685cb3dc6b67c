import COpenBLAS

/// Matrix products of training, by OpenBLAS on the calling thread.
///
/// BLAS is not row-invariant, so nothing here serves the target's inference path. Parallelism comes
/// from working on several sequences at once, each worker with single-threaded products: two
/// workers with one BLAS thread each beat one caller with two BLAS threads, because no product
/// waits for another.
package enum MatrixProduct {
  /// The processor whose kernels OpenBLAS runs: its choice when it is loaded, or that of the
  /// environment's `OPENBLAS_CORETYPE`. Figures without it can't be compared.
  package static var coreName: String { String(cString: openblas_get_corename()) }

  /// Keeps BLAS on the calling thread; every pass asks for it when it is made.
  package static func useOneThread() { _ = oneThread }

  private static let oneThread: Void = openblas_set_num_threads(1)

  /// c[m, n] = a[m, k] · b[n, k]ᵀ, or += with `accumulate`. Strides are in values.
  package static func timesTransposed(
    rows m: Int, columns n: Int, inner k: Int,
    _ a: UnsafePointer<Float>, _ aStride: Int, _ b: UnsafePointer<Float>, _ bStride: Int,
    into c: UnsafeMutablePointer<Float>, _ cStride: Int, accumulate: Bool = false
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(m), Int32(n), Int32(k), 1, a, Int32(aStride),
      b, Int32(bStride), accumulate ? 1 : 0, c, Int32(cStride))
  }

  /// c[m, n] = a[m, k] · b[k, n], or += with `accumulate`.
  static func times(
    rows m: Int, columns n: Int, inner k: Int,
    _ a: UnsafePointer<Float>, _ aStride: Int, _ b: UnsafePointer<Float>, _ bStride: Int,
    into c: UnsafeMutablePointer<Float>, _ cStride: Int, accumulate: Bool = false
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(m), Int32(n), Int32(k), 1, a,
      Int32(aStride), b, Int32(bStride), accumulate ? 1 : 0, c, Int32(cStride))
  }

  /// c[m, n] = a[k, m]ᵀ · b[k, n], or += with `accumulate`.
  static func transposedTimes(
    rows m: Int, columns n: Int, inner k: Int,
    _ a: UnsafePointer<Float>, _ aStride: Int, _ b: UnsafePointer<Float>, _ bStride: Int,
    into c: UnsafeMutablePointer<Float>, _ cStride: Int, accumulate: Bool = false
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasTrans, CblasNoTrans, Int32(m), Int32(n), Int32(k), 1, a, Int32(aStride),
      b, Int32(bStride), accumulate ? 1 : 0, c, Int32(cStride))
  }
}
