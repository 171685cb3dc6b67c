package import Drafter
import Files

/// How a block drafter denoises its blocks: in one pass, or by one of the published policies
/// (docs/policies.md). The output is the same whatever is chosen; how many drafts match, and what they cost, is
/// not.
///
/// ```swift
/// let mode = DecodingMode.speculative(denoising: try Denoising("left-run:threshold=0.6,gate=1"))
/// ```
public struct Denoising: Sendable, Equatable {
  /// A policy's name, and its settings behind a colon: `name:key=value,key=value`.
  public let text: String

  /// All drafts of one pass.
  public static let onePass = Denoising()

  private init() { text = OnePass.name }

  /// Reads a choice.
  ///
  /// - Throws: ``SpeculateError`` for a policy or a setting that isn't known, or a value out of its range.
  public init(_ text: String) throws {
    _ = try DenoisingCatalog.policy(text)
    self.text = text
  }

  /// Makes the policy, which has learned nothing yet.
  package var policy: any DenoisingPolicy {
    // It was read once.
    (try? DenoisingCatalog.policy(text)) ?? OnePass()
  }

  /// Checks that a drafter can do what it takes.
  ///
  /// - Throws: ``SpeculateError`` if it can't.
  package func check(_ drafter: DrafterModel?) throws {
    guard self != .onePass else { return }
    guard case .block(let drafter)? = drafter else {
      throw SpeculateError(
        "denoising \(text) is for block drafters, and \(drafter == nil ? "there is none" : "this is none"): "
          + "leave it out, or use one")
    }
    if policy.needs.contains(.extensions), drafter.configuration.kind.readsFeatures {
      throw SpeculateError(
        "denoising \(text) drafts behind drafts, which a drafter that reads its target's features can't: "
          + "use another denoising, or a drafter that sees tokens alone")
    }
  }
}
