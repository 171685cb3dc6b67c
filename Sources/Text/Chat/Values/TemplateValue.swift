/// A value that a template computes with, as Python would have it.
///
/// Nothing in it can form a cycle: namespaces and macros live in the evaluator, by number.
enum TemplateValue: Sendable {
  /// No value, and what to say when it is used as one.
  case undefined(String)
  case null
  case bool(Bool)
  case integer(Int)
  case float(Double)
  case string(String)
  case list(TemplateList)
  case mapping(TemplateMapping)
  case namespace(Int)
  case loop(TemplateLoop)
  case function(TemplateFunction)

  /// A list of values.
  ///
  /// - Throws: `TemplateProblem` when they are nested too deeply.
  static func list(of elements: [TemplateValue]) throws -> TemplateValue {
    .list(try TemplateList(elements))
  }

  static func tuple(of elements: [TemplateValue]) throws -> TemplateValue {
    .list(try TemplateList(elements, isTuple: true))
  }

  var text: String? { if case .string(let text) = self { text } else { nil } }

  var list: TemplateList? { if case .list(let list) = self { list } else { nil } }

  var mapping: TemplateMapping? { if case .mapping(let mapping) = self { mapping } else { nil } }

  /// The whole number, if this is one; Python counts truth values as numbers.
  var integer: Int? {
    switch self {
    case .integer(let value): value
    case .bool(let value): value ? 1 : 0
    default: nil
    }
  }

  /// The number, if this is one of any kind.
  var number: Double? {
    if case .float(let value) = self { value } else { integer.map(Double.init) }
  }

  var isNull: Bool { if case .null = self { true } else { false } }

  var isUndefined: Bool { if case .undefined = self { true } else { false } }

  /// Whether a condition holds that this value is.
  var isTrue: Bool {
    switch self {
    case .undefined, .null: false
    case .bool(let value): value
    case .integer(let value): value != 0
    case .float(let value): value != 0
    case .string(let text): !text.isEmpty
    case .list(let list): !list.elements.isEmpty
    case .mapping(let mapping): !mapping.keys.isEmpty
    case .namespace, .loop, .function: true
    }
  }

  /// Python's name of the type, for messages.
  var typeName: String {
    switch self {
    case .undefined: "Undefined"
    case .null: "NoneType"
    case .bool: "bool"
    case .integer: "int"
    case .float: "float"
    case .string: "str"
    case .list(let list): list.isTuple ? "tuple" : "list"
    case .mapping: "dict"
    case .namespace: "Namespace"
    case .loop: "LoopContext"
    case .function: "function"
    }
  }

  /// How deeply lists and mappings are nested in it; 0 for a value without parts.
  var depth: Int {
    switch self {
    case .list(let list): list.depth
    case .mapping(let mapping): mapping.depth
    case .loop(let loop): loop.items.depth + 1
    case .function(.method(let receiver, _)): receiver.depth + 1
    default: 0
    }
  }

  /// The work that walking over it takes; a value that is part of another twice counts twice.
  var weight: Int {
    switch self {
    case .string(let text): 1 + text.utf8.count / 16
    case .list(let list): list.weight
    case .mapping(let mapping): mapping.weight
    default: 1
    }
  }
}

/// Something a template can call.
indirect enum TemplateFunction: Sendable {
  /// A function that every template has.
  case global(String)
  /// A macro, by its number in the evaluator.
  case macro(Int)
  /// A method of a value.
  case method(TemplateValue, String)
}

/// The variable `loop`.
struct TemplateLoop: Sendable {
  let items: TemplateList
  /// The number of the present item, from 0.
  let index: Int
}
