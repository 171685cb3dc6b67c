internal import CKernels

/// 4-bit integers in blocks of 32 with a scale and a minimum: 5 bits a weight.
enum Q41Coding: BlockCoding {
  static var name: String { "q4_1" }
  static var type: ck_block_type { CK_Q4_1 }
  static var arithmetic: Arithmetic { .int4 }
}

/// 5-bit integers in blocks of 32 with a scale: 5.5 bits a weight.
enum Q50Coding: BlockCoding {
  static var name: String { "q5_0" }
  static var type: ck_block_type { CK_Q5_0 }
}

/// 5-bit integers in blocks of 32 with a scale and a minimum: 6 bits a weight.
enum Q51Coding: BlockCoding {
  static var name: String { "q5_1" }
  static var type: ck_block_type { CK_Q5_1 }
}

/// 4-bit floats in blocks of 32 with a power of two: 4.25 bits a weight.
enum MXFP4Coding: BlockCoding {
  static var name: String { "mxfp4" }
  static var type: ck_block_type { CK_MXFP4 }
}

/// 2-bit integers with scales and minima of 16, in blocks of 256: 2.6 bits a weight.
enum Q2KCoding: BlockCoding {
  static var name: String { "q2_k" }
  static var type: ck_block_type { CK_Q2_K }
  static var arithmetic: Arithmetic { .int4 }
}

/// 3-bit integers with scales of 16, in blocks of 256: 3.4 bits a weight, 3.5 in memory.
enum Q3KCoding: BlockCoding {
  static var name: String { "q3_k" }
  static var type: ck_block_type { CK_Q3_K }
  static var arithmetic: Arithmetic { .int4 }
}

/// 4-bit integers with scales and minima of 32, in blocks of 256: 4.5 bits a weight.
enum Q4KCoding: BlockCoding {
  static var name: String { "q4_k" }
  static var type: ck_block_type { CK_Q4_K }
  static var arithmetic: Arithmetic { .int4 }
}

/// 5-bit integers with scales and minima of 32, in blocks of 256: 5.5 bits a weight.
enum Q5KCoding: BlockCoding {
  static var name: String { "q5_k" }
  static var type: ck_block_type { CK_Q5_K }
}

/// 6-bit integers with scales of 16, in blocks of 256: 6.6 bits a weight.
enum Q6KCoding: BlockCoding {
  static var name: String { "q6_k" }
  static var type: ck_block_type { CK_Q6_K }
}

extension WeightFormat {
  /// The formats of blocks, which models in GGUF files are taken in as they are stored. Q8_0 and Q4_0
  /// are int8 and int4.
  package static let blocks: [WeightFormat] = [
    WeightFormat(Q41Coding.self), WeightFormat(Q50Coding.self), WeightFormat(Q51Coding.self),
    WeightFormat(MXFP4Coding.self), WeightFormat(Q2KCoding.self), WeightFormat(Q3KCoding.self),
    WeightFormat(Q4KCoding.self), WeightFormat(Q5KCoding.self), WeightFormat(Q6KCoding.self),
  ]
}
