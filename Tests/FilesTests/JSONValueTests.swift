import Files
import Foundation
import TestSupport
import Testing

@Suite struct JSONValueTests {
  @Test(arguments: [
    ("null", JSONValue.null), (" true ", .bool(true)), ("false", .bool(false)), ("0", .integer(0)),
    ("-0", .integer(0)), ("9223372036854775807", .integer(.max)),
    ("9223372036854775808", .number(0x1p63)), ("1.0", .number(1)), ("-2.5e-3", .number(-0.0025)),
    ("1E+2", .number(100)), ("\"\"", .string("")), ("[]", .array([])), ("{}", .object([:])),
    ("\"\\u00e9\\ud83d\\ude00\\n\\/\\\\\\\"\"", .string("é😀\n/\\\"")), ("\"é😀\"", .string("é😀")),
    ("\u{FEFF} 1", .integer(1)),
    ("\"\\b\\f\\u0001\"", .string("\u{8}\u{C}\u{1}")),
    ("[1,[2],{\"a\":null}]", .array([.integer(1), .array([.integer(2)]), .object(["a": .null])])),
    ("\t{ \"a\" : 1 ,\r\n\"b\": 2 } ", .object(["a": .integer(1), "b": .integer(2)])),
  ])
  func documentsAreRead(text: String, expected: JSONValue) throws {
    let value = try JSONValue(parsing: text)
    #expect(value == expected)
    #expect(try JSONValue(parsing: String(decoding: value.encoded(), as: UTF8.self)) == expected)
  }

  @Test(arguments: [
    "", " ", "nul", "nulll", "True", "01", "-", "+1", ".5", "1.", "1e", "1e+", "1e999", "0x1",
    "NaN",
    "Infinity", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"",
    "\"\\ud800\\u0041\"", "\"\u{1}\"", "\"a\nb\"", "[", "[1", "[1,", "[1,]", "[,]", "[1 2]", "{",
    "{1:2}",
    "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":1}", "{} {}", "1 1",
    "'a'",
    "// c\n1", "1\u{FEFF}", "{\"a\":1,\"\\u0061\":2}",
  ])
  func otherTextsAreRefused(text: String) {
    #expect(throws: SpeculateError.self) { try JSONValue(parsing: text) }
  }

  @Test func nestingIsBounded() throws {
    let deep = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
    _ = try JSONValue(parsing: deep)
    #expect(
      throws: SpeculateError("not valid JSON at byte 129: nested deeper than 128 levels")
    ) { try JSONValue(parsing: String(repeating: "[", count: 1_000_000)) }
  }

  /// What Foundation accepts of random mutations, this reader accepts with the same meaning, and
  /// the other way round, except for duplicates and nesting.
  @Test func randomTextsMeanWhatFoundationSays() throws {
    let seed = Array(
      #"{"a":[1,-2.5e3,true,false,null,"x\u00e9\n"],"b":{"c":"é","d":[]},"e":0.1}"#.utf8)
    var random = SplitMix(seed: 7)
    var accepted = 0
    for _ in 0..<20_000 {
      var bytes = seed
      for _ in 0..<Int.random(in: 0...3, using: &random) { mutate(&bytes, &random) }
      let ours = try? bytes.withUnsafeBytes { try JSONValue(parsing: $0) }
      guard let ours else { continue }
      accepted += 1
      let theirs = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
      let again = try JSONSerialization.jsonObject(with: ours.encoded(), options: .fragmentsAllowed)
      #expect(
        "\(theirs)".sorted() == "\(again)".sorted(), "\(String(decoding: bytes, as: UTF8.self))")
    }
    #expect(accepted > 4000)
  }
}
