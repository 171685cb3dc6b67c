/// Rates, under the field's names. Each is 0 where there is nothing to divide by.
extension GenerationStatistics {
  /// Mean acceptance length τ, the bonus token included: emitted tokens per target pass.
  public var tau: Double { Self.ratio(emittedTokens, targetPasses) }

  /// Accepted drafts per verified draft.
  public var acceptanceRate: Double { Self.ratio(acceptedTokens, verifiedTokens) }

  /// Accepted drafts per verified draft, by place in the block.
  public var acceptanceRateByPlace: [Double] {
    zip(acceptedByPlace, verifiedByPlace).map { Self.ratio($0, $1) }
  }

  /// The most drafts that a round accepted.
  public var longestAccepted: Int { acceptanceHistogram.lastIndex { $0 > 0 } ?? 0 }

  /// Emitted tokens per second of decoding.
  public var tokensPerSecond: Double {
    decodeSeconds > 0 ? Double(emittedTokens) / decodeSeconds : 0
  }

  /// Prompt tokens per second of prefill.
  public var prefillTokensPerSecond: Double {
    prefillSeconds > 0 ? Double(promptTokens) / prefillSeconds : 0
  }

  /// Seconds of decoding outside drafting, target passes and sampling.
  public var otherSeconds: Double {
    max(0, decodeSeconds - draftSeconds - verifySeconds - samplingSeconds)
  }

  private static func ratio(_ part: Int, _ whole: Int) -> Double {
    whole > 0 ? Double(part) / Double(whole) : 0
  }
}
