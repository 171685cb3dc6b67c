/// The reader behind `JSONValue`: RFC 8259, nothing more, plus a limit on nesting.
struct JSONParser {
  private static let depthLimit = 128

  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func document() throws -> JSONValue {
    let value = try value(depth: 0)
    skipBlanks()
    if position < bytes.count { throw problem("text after the end of the document") }
    return value
  }

  private func problem(_ text: String, at position: Int? = nil) -> SpeculateError {
    SpeculateError("not valid JSON at byte \(position ?? self.position): \(text)")
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ byte: UInt8) throws {
    guard take(byte) else {
      let found = next == nil ? "the document ends" : "there is something else"
      throw problem("\"\(Character(UnicodeScalar(byte)))\" should stand here, but \(found)")
    }
  }

  private mutating func value(depth: Int) throws -> JSONValue {
    if depth > Self.depthLimit { throw problem("nested deeper than \(Self.depthLimit) levels") }
    skipBlanks()
    guard let next else { throw problem("the document ends where a value should stand") }
    switch next {
    case UInt8(ascii: "{"): return .object(try object(depth: depth))
    case UInt8(ascii: "["): return .array(try array(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw problem("a value should stand here")
    }
  }

  private mutating func literal(_ text: StaticString, _ value: JSONValue) throws -> JSONValue {
    let count = text.utf8CodeUnitCount
    guard bytes.count - position >= count,
      (0..<count).allSatisfy({ bytes[position + $0] == text.utf8Start[$0] })
    else { throw problem("a value should stand here") }
    position += count
    return value
  }

  private mutating func object(depth: Int) throws -> [String: JSONValue] {
    try expect(UInt8(ascii: "{"))
    var members: [String: JSONValue] = [:]
    skipBlanks()
    if take(UInt8(ascii: "}")) { return members }
    while true {
      skipBlanks()
      let start = position
      let name = try string()
      skipBlanks()
      try expect(UInt8(ascii: ":"))
      let member = try value(depth: depth + 1)
      if members.updateValue(member, forKey: name) != nil {
        throw problem("\(quoted(name)) appears twice", at: start)
      }
      skipBlanks()
      if take(UInt8(ascii: ",")) { continue }
      try expect(UInt8(ascii: "}"))
      return members
    }
  }

  private mutating func array(depth: Int) throws -> [JSONValue] {
    try expect(UInt8(ascii: "["))
    var elements: [JSONValue] = []
    skipBlanks()
    if take(UInt8(ascii: "]")) { return elements }
    while true {
      elements.append(try value(depth: depth + 1))
      skipBlanks()
      if take(UInt8(ascii: ",")) { continue }
      try expect(UInt8(ascii: "]"))
      return elements
    }
  }

  private mutating func digits() throws {
    let start = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    if position == start { throw problem("a digit should stand here") }
  }

  private mutating func number() throws -> JSONValue {
    let start = position
    var isInteger = true
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) {
      isInteger = false
      try digits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let integer = Int(text) { return .integer(integer) }
    guard let number = Double(text), number.isFinite else {
      throw problem("the number is out of range", at: start)
    }
    return .number(number)
  }

  private mutating func string() throws -> String {
    try expect(UInt8(ascii: "\""))
    let start = position
    var units: [UInt8]? = nil  // only strings with escapes are copied before they are decoded
    var copied = position
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        let tail = bytes[copied..<position]
        position += 1
        let decoded =
          if let units {
            String(validating: units + tail, as: UTF8.self)
          } else {
            String(validating: tail, as: UTF8.self)
          }
        guard let decoded else { throw problem("the string is not valid UTF-8", at: start) }
        return decoded
      case UInt8(ascii: "\\"):
        var text = units ?? []
        text.append(contentsOf: bytes[copied..<position])
        position += 1
        try escape(into: &text)
        units = text
        copied = position
      case 0..<0x20:
        throw problem("a control character inside a string")
      default:
        position += 1
      }
    }
    throw problem("a string without end", at: start)
  }

  private mutating func escape(into text: inout [UInt8]) throws {
    let start = position - 1
    guard let byte = next else { throw problem("a string without end", at: start) }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hexadecimal()
      if (0xD800..<0xDC00).contains(code) {
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
          throw problem("half a surrogate pair", at: start)
        }
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low) else {
          throw problem("half a surrogate pair", at: start)
        }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else {
        throw problem("half a surrogate pair", at: start)
      }
      text.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
    default: throw problem("an unknown escape", at: start)
    }
  }

  private mutating func hexadecimal() throws -> UInt32 {
    guard bytes.count - position >= 4 else {
      throw problem("four hexadecimal digits should follow")
    }
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(UnicodeScalar(bytes[position])).hexDigitValue,
        bytes[position] < 0x80
      else { throw problem("four hexadecimal digits should follow") }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }
}
