/// Two values that are one flat object in JSON: what every training has, and what one recipe adds.
@dynamicMemberLookup
package struct Joined<Common: Codable & Sendable, Own: Codable & Sendable>: Codable, Sendable {
  package var common: Common
  package var own: Own

  /// Joins two values whose members have different names.
  package init(_ common: Common, _ own: Own) {
    self.common = common
    self.own = own
  }

  package subscript<Value>(dynamicMember path: WritableKeyPath<Common, Value>) -> Value {
    get { common[keyPath: path] }
    set { common[keyPath: path] = newValue }
  }

  package subscript<Value>(dynamicMember path: WritableKeyPath<Own, Value>) -> Value {
    get { own[keyPath: path] }
    set { own[keyPath: path] = newValue }
  }

  package init(from decoder: any Decoder) throws {
    self.init(try Common(from: decoder), try Own(from: decoder))
  }

  package func encode(to encoder: any Encoder) throws {
    try common.encode(to: encoder)
    try own.encode(to: encoder)
  }
}

extension Joined: Equatable where Common: Equatable, Own: Equatable {}
