/// An array of a GGUF file's metadata: values of one type, which may be arrays again.
///
/// Its values stay in the file until they are asked for: a count says nothing about memory.
package struct GGUFArray: Sendable {
  /// The type of its values.
  package let elementType: GGUFValueType
  /// How many values there are.
  package let count: Int

  /// Where the values lie, checked by whoever made the array.
  private let contents: any GGUFContents
  private let range: Range<Int>

  init(
    of elementType: GGUFValueType, count: Int, in contents: any GGUFContents, at range: Range<Int>
  ) {
    self.elementType = elementType
    self.count = count
    self.contents = contents
    self.range = range
  }

  /// An array of values of one type.
  ///
  /// - Parameter type: That of the values; an empty array has one, too.
  package init(_ values: [GGUFValue], of type: GGUFValueType) {
    precondition(values.allSatisfy { $0.type == type }, "an array has values of one type")
    var bytes: [UInt8] = []
    for value in values { value.encode(into: &bytes) }
    self.init(
      of: type, count: values.count, in: OwnedContents(bytes), at: 0..<bytes.count)
  }

  /// An array of strings.
  package init(strings: [String]) { self.init(strings.map(GGUFValue.string), of: .string) }

  /// The values.
  package var elements: [GGUFValue] {
    read { cursor in
      var elements: [GGUFValue] = []
      for _ in 0..<count { elements.append(try cursor.value(of: elementType, in: contents)) }
      return elements
    } ?? []
  }

  /// The values of an array of strings; nil if it holds others.
  package var strings: [String]? {
    guard elementType == .string else { return nil }
    return read { cursor in
      var strings: [String] = []
      for _ in 0..<count { strings.append(try cursor.string()) }
      return strings
    }
  }

  /// The values of an array of integers that fit `Int`; nil if it holds others.
  package var integers: [Int]? {
    guard elementType.hasFixedSize else { return nil }
    var integers: [Int] = []
    for element in elements {
      guard let integer = element.integer else { return nil }
      integers.append(integer)
    }
    return integers
  }

  /// The values of an array of numbers; nil if it holds others.
  package var numbers: [Double]? {
    guard elementType.hasFixedSize else { return nil }
    var numbers: [Double] = []
    for element in elements {
      guard let number = element.number else { return nil }
      numbers.append(number)
    }
    return numbers
  }

  /// The bytes of the values as a file has them.
  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try withExtendedLifetime(contents) {
      try body(UnsafeRawBufferPointer(rebasing: contents.bytes[range]))
    }
  }

  /// Reads the values, which were checked when the array was made.
  private func read<R>(_ body: (inout GGUFCursor) throws -> R) -> R? {
    withExtendedLifetime(contents) {
      var cursor = GGUFCursor(contents.bytes, at: range)
      return try? body(&cursor)
    }
  }
}

extension GGUFArray: Equatable {
  /// Whether both have the same values of the same type.
  package static func == (lhs: GGUFArray, rhs: GGUFArray) -> Bool {
    lhs.elementType == rhs.elementType && lhs.count == rhs.count
      && lhs.withBytes { left in rhs.withBytes { left.elementsEqual($0) } }
  }
}

/// Bytes that an array may point into: of a mapped file, or its own.
protocol GGUFContents: AnyObject, Sendable {
  var bytes: UnsafeRawBufferPointer { get }
}

extension MappedFile: GGUFContents {}

/// Bytes that belong to no file yet.
final class OwnedContents: GGUFContents, @unchecked Sendable {
  // Unchecked: written in `init` only.
  let bytes: UnsafeRawBufferPointer

  init(_ source: [UInt8]) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 8)
    copy.copyBytes(from: source)
    bytes = UnsafeRawBufferPointer(copy)
  }

  deinit { bytes.deallocate() }
}
