/// A value that a template computes with, as Python would have it.
///
/// Nothing in it can form a cycle: namespaces, iterators and macros live in the evaluator, by number.
enum TemplateValue: Sendable {
  /// No value, and what to say when it is used as one.
  case undefined(String)
  case null
  case bool(Bool)
  case integer(Int)
  case float(Double)
  case string(String)
  /// A text that `safe` or `escape` marked: what is joined to it gets escaped.
  case markup(String)
  case list(TemplateList)
  case mapping(TemplateMapping)
  /// What filters such as `map` and `select` make: it gives its elements once.
  case iterator(Int)
  case namespace(Int)
  case loop(TemplateLoop)
  case function(TemplateFunction)

  /// A list of values.
  ///
  /// - Throws: `TemplateProblem` when they are nested too deeply.
  static func list(
    of elements: [TemplateValue], kind: TemplateList.Kind = .list
  ) throws -> TemplateValue {
    .list(try TemplateList(elements, kind: kind))
  }

  static func tuple(of elements: [TemplateValue]) throws -> TemplateValue {
    .list(try TemplateList(elements, kind: .tuple))
  }

  /// The text, marked or not, if this is one.
  var text: String? {
    switch self {
    case .string(let text), .markup(let text): text
    default: nil
    }
  }

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

  var boolean: Bool? { if case .bool(let value) = self { value } else { nil } }

  var isNull: Bool { if case .null = self { true } else { false } }

  var isUndefined: Bool { if case .undefined = self { true } else { false } }

  var isMarkup: Bool { if case .markup = self { true } else { false } }

  /// Whether a condition holds that this value is.
  var isTrue: Bool {
    switch self {
    case .undefined, .null: false
    case .bool(let value): value
    case .integer(let value): value != 0
    case .float(let value): value != 0
    case .string(let text), .markup(let text): !text.isEmpty
    case .list(let list): !list.elements.isEmpty
    case .mapping(let mapping): !mapping.keys.isEmpty
    // An iterator holds even where it gives nothing.
    case .iterator, .namespace, .loop, .function: true
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
    case .markup: "Markup"
    case .list(let list):
      switch list.kind {
      case .list: "list"
      case .tuple, .group: "tuple"
      case .range: "range"
      case .keys: "dict_keys"
      case .values: "dict_values"
      case .items: "dict_items"
      }
    case .mapping: "dict"
    case .iterator: "generator"
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
    case .string(let text), .markup(let text): 1 + text.utf8.count / 16
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
  /// What `cycler` and `joiner` made, by its number in the evaluator.
  case counter(Int)
}

/// The variable `loop`.
struct TemplateLoop: Sendable {
  let items: TemplateList
  /// The number of the present item, from 0.
  let index: Int
  /// The loops around it that call it, 0 for none.
  let depth: Int
  /// Its number among the loops that run.
  let number: Int
}
