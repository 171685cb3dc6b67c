import Files

/// How a text is cut before its bytes are paired, by the name that GGUF files have for it
/// (`tokenizer.ggml.pre`).
///
/// The names are llama.cpp's (src/llama-vocab.cpp). Where that has an adapted pattern beside the
/// original of the model's tokenizer.json, the original is here.
struct GGUFPreTokenizer: Sendable {
  /// The patterns, each cutting what the former left; all of a text is kept.
  let patterns: [String]
  /// Whether texts are composed first, as the tokenizer.json of these models says.
  var composes = false
  /// Which words that are pieces are taken whole.
  var wholeWords = BytePairModel.WholeWords.none
  /// Whether a begin token is added where a file doesn't say.
  var addsBegin = false
  /// Whether pieces are spelled with "▁" for a space and `<0xNN>` for a byte, not in the alphabet of bytes.
  var isSentencePiece = false

  /// The names that there are, sorted.
  static var names: [String] { all.keys.sorted() }

  /// The pre-tokenizer of a name; nil if it isn't supported.
  static func named(_ name: String) -> GGUFPreTokenizer? { all[name] }

  /// The name that files have for a way to cut texts; nil if there is none. Of several names it is the one
  /// of the model that the way is known by.
  static func name(
    of steps: [PreTokenizer.Step], composes: Bool, wholeWords: BytePairModel.WholeWords
  ) -> String? {
    let patterns = steps.map(\.isolatedPattern)
    let names = ["gpt-2", "smollm", "qwen2", "llama-bpe"] + Self.names
    return names.first { name in
      named(name).map {
        $0.patterns == patterns && $0.composes == composes && !$0.isSentencePiece
          && $0.wholeWords == wholeWords
      } ?? false
    }
  }

  /// The steps that cut a text; errors begin with `file`.
  func steps(file: String) throws -> [PreTokenizer.Step] {
    try patterns.map { pattern in
      if pattern == Self.digit { return .digits(each: true) }
      if pattern == Self.digits { return .digits(each: false) }
      if let step = PreTokenizer.Step(pattern: pattern) { return step }
      return .split(TextSplit(.pattern(try RegularExpression(pattern, name: file)), .isolated))
    }
  }

  private static let all: [String: GGUFPreTokenizer] = {
    var all: [String: GGUFPreTokenizer] = [:]
    func add(
      _ names: String, _ patterns: [String], _ change: (inout GGUFPreTokenizer) -> Void = { _ in }
    ) {
      var value = GGUFPreTokenizer(patterns: patterns)
      change(&value)
      for name in names.split(whereSeparator: \.isWhitespace) { all[String(name)] = value }
    }
    let (gpt2, qwen2, llama3) = (
      PreTokenizer.gpt2Pattern, PreTokenizer.qwen2Pattern, PreTokenizer.llama3Pattern
    )
    add("default", [#"[\p{P}$+<=>^~|]+"#, gpt2, digits, "[0-9][0-9][0-9]"])
    add(
      """
      gpt-2 phi-2 mpt olmo jais trillion granite-docling gigachat a.x-4.0 mellum exaone4 jina-es jina-de
      jina-v2-es jina-v2-de modern-bert
      """, [gpt2])
    add(
      "smollm starcoder refact command-r codeshell exaone minerva-7b mellum2", [digit, gpt2])
    add("qwen2 deepseek-r1-qwen", [qwen2]) { $0.composes = true }
    add("stablelm2 kormo f2llmv2 megrez hunyuan solar-open grok-2", [qwen2])
    add("qwen35", [qwen35]) { $0.composes = true }
    add(
      "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", [llama3]
    ) { ($0.wholeWords, $0.addsBegin) = (.all, true) }
    add("dbrx smaug-bpe glm4 chatglm-bpe", [llama3])
    add("minicpm5", [#"\p{N}{1,3}"#, llama3.replacing("{1,3}", with: "+")]) {
      $0.wholeWords = .all
    }
    add("jais-2", [jais2])
    add("ufakzeka", [String(qwen2.drop { $0 != "[" })])
    add("laguna", [newlines, qwen2])
    add("seed-coder", [seedCoder])
    add("bailingmoe bailingmoe2 llada-moe", [bailing])
    add("exaone-moe", [exaoneMoE])
    add("falcon", [#"[\p{P}$+<=>^~|`]+"#, gpt2, "[0-9][0-9][0-9]"])
    add("bloom gpt3-finnish poro-chat", [bloom])
    add("viking", [bloom, digit])
    add("gpt-4o llama4 kanana2 talkie minimax-m2", [gpt4o])
    add("granite-embed-multi-97m", [gpt4o]) { $0.wholeWords = .all }
    add("tiny_aya cohere2moe", [#"\d{1,3}(?=(?:\d{3})*\b)"#, gpt4o])
    add("tekken", [tekken]) { ($0.wholeWords, $0.addsBegin) = (.all, true) }
    add("kimi-k2", [kimi])
    add("youtu", [youtu, gpt4o.replacing("{1,3}", with: "")]) { $0.wholeWords = .all }
    add("deepseek-llm", deepSeekLLM + [digits])
    add("deepseek-coder", [#"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, deepSeekCJK, digit])
    add("deepseek-v3 hunyuan-dense joyai-llm hy_v4", [#"\p{N}{1,3}"#, kana, deepSeekV3])
    add("spark2_5", [#"\p{N}{1,3}"#, kana, spark, digit])
    add("superbpe", [digits, #"(?=(\d{3})+(?!\d))"#])
    add("chameleon", chameleon + [gpt2]) { $0.addsBegin = true }
    add("gemma4", [newlines]) {
      ($0.isSentencePiece, $0.addsBegin, $0.wholeWords) = (true, true, .lineBreaks)
    }
    add("sarvam-moe", [newlines]) { $0.isSentencePiece = true }
    return all
  }()

  // MARK: Patterns

  fileprivate static let digit = #"\p{N}"#
  fileprivate static let digits = #"\p{N}+"#
  private static let newlines = #"[^\n]+|\n+"#
  private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
  private static let spaces = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#

  private static let qwen35 =
    contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"#
    + spaces

  private static let jais2: String = {
    let runs = [512, 256, 128, 64, 32, 16, 8, 4].map { #"\s{\#($0)}(?!\S)|"# }.joined()
    return PreTokenizer.llama3Pattern.replacing(
      #"\s+(?!\S)|\s+"#, with: runs + #"\s{1,2}(?!\S)|\s{1}"#)
  }()

  private static let seedCoder =
    contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+"# + spaces

  private static let bailing =
    #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*"#
    + #"|\s*[\r\n]|\s+(?!\S)|\s+"#

  private static let exaoneMoE =
    contractions + #"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}"#
    + #"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"#

  private static let bloom = #" ?[^(\s|.,!?…。，、।۔،)]+"#

  /// Words of letters and marks, capitals only in front.
  private static func words(upper: String, lower: String, end: String) -> String {
    let start = #"[^\r\n\p{L}\p{N}]?"#
    return "\(start)[\(upper)]*[\(lower)]+\(end)|\(start)[\(upper)]+[\(lower)]*\(end)"
  }

  private static let upper = #"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"#
  private static let lower = #"\p{Ll}\p{Lm}\p{Lo}\p{M}"#

  static let tekken =
    words(upper: upper, lower: lower, end: "") + #"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*"# + spaces

  private static let gpt4o =
    words(upper: upper, lower: lower, end: contractions + "?")
    + #"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*"# + spaces

  private static let kimi =
    #"[\p{Han}]+|"#
    + words(
      upper: upper + #"&&[^\p{Han}]"#, lower: lower + #"&&[^\p{Han}]"#, end: contractions + "?")
    + #"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"# + spaces

  private static let kana = #"[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+"#

  private static let youtu =
    #"[\uAC00-\uD7A3\u3131-\u318E]+|[！…“”‘’—：；，\u3001-\u303F\uFE30-\uFE4F]+|[\u3105-\u312F]+|"#
    + kana

  private static let asciiPunctuation = ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"##

  private static let deepSeekV3 =
    asciiPunctuation + #"[A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"#
    + spaces

  private static let spark =
    asciiPunctuation + #"[A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+|[\r\n]"#
    + #"|\s+(?!\S)|\s+"#

  private static let chameleon = [
    "<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", #"([\t\n]|    |  )"#, digit,
    #"[\p{P}!-/:-@\[-`{-~]"#,
  ]

  private static let deepSeekCJK = #"[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+"#

  private static let deepSeekLLM = [
    #"[\r\n]"#, #"\s?[\#(casedLetters)]+"#,
    #"\s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+"#, #"\s+$"#, deepSeekCJK,
  ]

  /// The letters with case that deepseek-llm's pattern lists.
  private static let casedLetters =
    #"A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF"#
    + #"\u0370-\u0373\u0376\u0377\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C\u038E-\u03A1"#
    + #"\u03A3-\u03F5\u03F7-\u0481\u048A-\u052F\u0531-\u0556\u10A0-\u10C5\u13A0-\u13F5"#
    + #"\u13F8-\u13FD\u1C90-\u1CBA\u1CBD-\u1CBF\u1D00-\u1D2B\u1D6B-\u1D77\u1D79-\u1D9A"#
    + #"\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B\u1F5D"#
    + #"\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3"#
    + #"\u1FD6-\u1FDB\u1FE0-\u1FEC\u1FF2-\u1FF4\u1FF6-\u1FFC\u2102\u2107\u210A-\u2113\u2115"#
    + #"\u2119-\u211D\u2124\u2126\u2128\u212A-\u212D\u212F-\u2134\u2139\u213C-\u213F"#
    + #"\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B\u2C7E-\u2CE4\u2CEB-\u2CEE\u2CF2\u2CF3"#
    + #"\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF"#
    + #"\uFB00-\uFB06\uFB13-\uFB17\uFF21-\uFF3A\uFF41-\uFF5A\x{10400}-\x{1044F}"#
    + #"\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2}"#
    + #"\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}"#
}

extension PreTokenizer.Step {
  /// The pattern whose matches become words of their own, as what lies between them does; nil for a step that
  /// does something else.
  var isolatedPattern: String? {
    switch self {
    case .gpt2: PreTokenizer.gpt2Pattern
    case .llama3(digits: 1): PreTokenizer.qwen2Pattern
    case .llama3(digits: 3): PreTokenizer.llama3Pattern
    case .digits(let each): each ? GGUFPreTokenizer.digit : GGUFPreTokenizer.digits
    case .split(let split):
      if case .pattern(let expression) = split.finder, split.behavior == .isolated,
        !split.isInverted
      {
        expression.pattern
      } else {
        nil
      }
    case .llama3, .replace, .prefix, .byteAlphabet: nil
    }
  }
}
