/// The variables of a part of a template. What a loop, a macro or a block sets is gone behind it.
final class TemplateScope {
  private let parent: TemplateScope?
  private var variables: [String: TemplateValue]

  init(in parent: TemplateScope?, _ variables: [String: TemplateValue] = [:]) {
    self.parent = parent
    self.variables = variables
  }

  /// The value of a name here or further out; set here.
  subscript(name: String) -> TemplateValue? {
    get {
      var scope: TemplateScope? = self
      while let present = scope {
        if let value = present.variables[name] { return value }
        scope = present.parent
      }
      return nil
    }
    set { variables[name] = newValue }
  }
}
