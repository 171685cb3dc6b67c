import Testing

/// Help texts word by word: they are what a new user reads first.
@Suite struct HelpTests {
  @Test func theCommandNamesItsSubcommands() throws {
    let result = try CommandProcess(["--help"]).wait()
    #expect(result.status == 0)
    let text = words(result.output)
    #expect(
      text.hasPrefix(
        "OVERVIEW: Generate text several times faster without changing one token of it. "
          + "USAGE: speculate <subcommand>"))
    for line in [
      "generate Generate text from prompts, or compare both ways of decoding.",
      "serve Serve a model to programs that speak OpenAI's HTTP API, and to browsers.",
      "force Train a model on its own Jacobi trajectories.",
      "bench Measure this machine and how well decoding and training use it.",
    ] { #expect(text.contains(line)) }
    // Without arguments the same text is shown.
    #expect(try CommandProcess([]).wait().output == result.output)
  }

  @Test func generate() throws {
    try expectHelp(
      ["generate", "--help"],
      """
      OVERVIEW: Generate text from prompts, or compare both ways of decoding.

      The text goes to standard output as it is generated, everything else to standard error. The same
      target, prompt, sampling options and seed give the same tokens, whatever drafts and however many
      threads work.

      USAGE: speculate generate [<options>] [<->]

      PROMPTS:
        --prompt <text>         The text to go on from; - reads standard input.
        --prompt-file <file>    A text file, which is one prompt, or a .jsonl file, which is many: with a
                                field 'prompt' in every line, or a chat, 'messages' or 'turns', which the
                                target's chat template writes; - reads standard input.
        <->                     - reads the prompt from standard input.
        --limit <n>             Take the first n prompts only.
        --chat                  Take each prompt for what a user says, and write it as the target's chat
                                template does.
        --system <text>         The system message of chats that have none of their own. Belongs to
                                --chat.
        --chat-template <name|file>
                                Write chats by this one of the target's chat templates, or by that of a file.
                                (default: the target's usual one, or its own for chats with tools)
        --chat-template-kwargs <json>
                                Values for the chat template, a JSON object such as
                                '{"enable_thinking": false}'; a chat's own 'chat_template_kwargs' come first.
        --parse-special/--no-parse-special
                                Take the spelling of a special token in a prompt or a chat for that token, or
                                else for text like any other. (default: yes, as transformers, vLLM and
                                llama.cpp do)

      MODELS:
        --target <dir>          Folder of the target model: config.json, safetensors and tokenizer.
                                (default: the embedded one, Weights/target)
        --drafter <dir|suffix|none>
                                Folder of a drafter made for the target, or of any causal model with the
                                target's vocabulary; 'suffix' to draft without a model, from matches in the
                                text so far; or 'none' for plain decoding. (default: the one in
                                Weights that was made for the target; 'suffix' if there is none)
        --drafter-weights <format>
                                How to hold the drafter's matrices. (default: int8, or f32 where they are
                                stored so) (values: f32, bf16, int8, int4, q4_1, q5_0, q5_1, mxfp4,
                                  q2_k, q3_k, q4_k, q5_k, q6_k)
        --drafter-passes <n>    Passes of a causal drafter in a round, in which it iterates on all drafts
                                at once, as models from 'speculate force' can. (default: one a draft)
        --weights <format>      How to hold the target's matrices. (default: as they are stored)
                                (values: f32, bf16, int8, int4, q4_1, q5_0, q5_1, mxfp4,
                                  q2_k, q3_k, q4_k, q5_k, q6_k)
        --head-weights <format> How to hold the head. (default: like the matrices,
                                but int8 where they have 5 bits or less)
                                (values: f32, bf16, int8, int4, q4_1, q5_0, q5_1, mxfp4,
                                  q2_k, q3_k, q4_k, q5_k, q6_k)
        --embedding-weights <format>
                                How to hold the token embedding. (default: like the head)
                                (values: f32, bf16, int8, int4, q4_1, q5_0, q5_1, mxfp4,
                                  q2_k, q3_k, q4_k, q5_k, q6_k)
        --activations <type>    What products take activations in: as they are, instead of rounded as
                                products of a format do. Closer to the model, and slower. (values: f32)
        --kv-type <type>        How to hold the target's keys and values; text may differ between types,
                                never between ways of decoding. (values: f32, bf16; default: f32)
        --threads <n>           Threads to compute with. (default: one a physical core)

      OUTPUT:
        --max-tokens <n>        Tokens to generate at most. (default: 256)
        --temperature <t>       0 takes the most probable token; higher values vary more. (default: 0.0)
        --stop <text>           End the output before this text; may be given several times.
        --top-k <k>             Keep the k most probable tokens; 0 keeps all. (default: 0)
        --top-p <p>             Keep the most probable tokens that together reach probability p.
                                (default: 1.0)
        --min-p <p>             Drop tokens less probable than this times the most probable one.
                                (default: 0.0)
        --repetition-penalty <x>
                                Make tokens already in the text less probable; 1 is off. (default: 1.0)
        --seed <n>              Selects the random numbers; the same seed gives the same text. (default:
                                0)
        --ignore-end            Go on past end tokens, up to the limits.
        --json-schema <file|json>
                                Hold the output to values that a JSON schema allows: a file, or the
                                schema itself, which begins with a brace.
        --grammar <file>        Hold the output to the rules of a file in GBNF, from the rule 'root' on.
        --json-object           Hold the output to a JSON object.

      DRAFTING:
        --draft-length <n>      Draft this many tokens in every round, or the drafter's most if that is
                                less. (default: as many as pay, by measured times)
        --draft-choice <rule>   How drafts are chosen: 'argmax', or 'coupled' to the target's random
                                numbers. (default: by the temperature) (values: argmax, coupled, sampled)
        --branches <n>          Look at this many tokens beside the drafter's first choice at each place,
                                and follow those that pay; 0 drafts a chain. (default: 2, or 0 with
                                --draft-length)
        --denoising <policy>    How a block drafter denoises its blocks: a policy of docs/policies.md, and
                                its settings behind a colon, 'left-run:threshold=0.6,gate=1'. (default:
                                one-pass)
        --suffix/--no-suffix    Look the end of the text up in earlier text and draft what followed
                                there. (default: yes, unless --draft-length is given)
        --recycling/--no-recycling
                                Try again, beside the next drafts, what verification threw away.
                                (default: no)
        --remeasure             Measure pass times anew. (default: those of an earlier run, kept in
                                $XDG_CACHE_HOME/speculate or ~/.cache/speculate, brought up to date)
        --scaffold/--no-scaffold
                                Draft what the grammar of an output leaves no choice about. (default:
                                yes)
        --verification <rule>   How drafts become tokens above temperature 0: 'match' keeps the output of
                                plain decoding, token for token; 'token' (rejection sampling) and
                                'block' keep its distribution, on chains of drafts that are drawn with
                                numbers of their own. (default: match) (values: match, token, block)

      JACOBI DECODING:
        --jacobi-block <n>      Tokens of a block. (default: twice the rows that are nearly free, 8 to 32)
        --jacobi-blocks <n>     Blocks that are iterated at once. (default: 2)
        --jacobi-spawn <share>  Open another block when this share of the newest one agrees. (default:
                                0.85)
        --jacobi-pool <n>       Thrown-away guesses to keep and try again; 0 keeps none. (default: 4)
        --jacobi-rows <n>       Rows of every pass. (default: as many as pay, by measured times)

      OPTIONS:
        --decoder <decoder>     What decodes: 'draft' with the drafter, or 'jacobi' by the target's
                                iteration on its own guesses, without a drafter. (values: draft, jacobi;
                                default: draft)
        --echo                  Print the prompt before its continuation; of a comparison, both
                                continuations, side by side.
        --stats                 Say what happened: rounds, acceptance, times.
        --json                  Print JSON instead of text: one object a prompt, or one for a whole
                                comparison.
        --trace <file>          Write every round to this file, .jsonl or .jsonl.zst, for 'speculate
                                analyze'.
        --compare               Run plain and speculative decoding in turn, and compare ids and speed.
        --repeats <n>           Runs of each kind for every prompt of a comparison; medians count.
                                (default: 3)
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test func convert() throws {
    try expectHelp(
      ["convert", "--help"],
      """
      OVERVIEW: Write a model as a folder or a GGUF file with its weights in another format.

      A converted model is a target of its own: its text differs from the original's, but never between
      plain and speculative decoding. A drafter of the original works for it. The layout of folders is in
      docs/formats.md, that of GGUF files in docs/gguf.md.

      speculate convert ~/models/Qwen3-0.6B ~/models/Qwen3-0.6B-int8 --weights int8
      speculate convert ~/models/Qwen3-0.6B qwen3-0.6b.gguf --weights q4_k
      speculate convert Weights/target small --weights int4 --perplexity book.txt
      speculate convert drafter for-vllm --weights bf16 --to speculators --target target

      USAGE: speculate convert <source> <destination> --weights <format> [--to <form>] [--head-weights <format>] [--embedding-weights <format>] [--target <dir>] [--perplexity <file>] [--perplexity-tokens <n>] [--threads <n>] [--force] [--json]

      ARGUMENTS:
        <source>              Folder or GGUF file of the model to convert.
        <destination>         Folder or GGUF file to write.

      OPTIONS:
        --weights <format>    Format of the matrices. (values: f32, bf16, int8, int4, q4_1, q5_0,
                              q5_1, mxfp4, q2_k, q3_k, q4_k, q5_k, q6_k, q8_0, q4_0, f16)
        --to <form>           What to write; 'zlab' and 'speculators' are folders of drafters as
                              those projects read them. (default: gguf if the destination's name
                              ends in .gguf, else folder) (values: folder, gguf, zlab,
                              speculators)
        --head-weights <format>
                              Format of the head. (default: like the matrices, but int8 where they
                              have 5 bits or less) (values: f32, bf16, int8, int4, q4_1, q5_0,
                              q5_1, mxfp4, q2_k, q3_k, q4_k, q5_k, q6_k, q8_0, q4_0, f16)
        --embedding-weights <format>
                              Format of the token embedding. (default: like the head) (values:
                              f32, bf16, int8, int4, q4_1, q5_0, q5_1, mxfp4, q2_k, q3_k, q4_k,
                              q5_k, q6_k, q8_0, q4_0, f16)
        --target <dir>        The target of a drafter, whose tokenizer and head of a draft vocabulary
                              go into a GGUF file, and whose embedding and head into a folder of
                              speculators.
        --perplexity <file>   A text whose perplexity is measured before and after.
        --perplexity-tokens <n>
                              Tokens of that text to read, at most. (default: 4096)
        --threads <n>         Threads to compute with. (default: one a physical core)
        --force               Replace a model that is in the destination already.
        --json                Print one JSON object instead of text.
        --version             Show the version.
        -h, --help            Show help information.
      """)
  }

  @Test func distillData() throws {
    try expectHelp(
      ["distill", "data", "--help"],
      """
      OVERVIEW: Let a target answer prompts, into compressed shards.

      Writes shards (.responses.zst), a manifest and the tail of the last shard to --output. The same command
      again goes on where the last one stopped, makes shards anew that are missing, and with more --responses
      adds to what is there. The folder 'features' in --output takes what --store-taps and
      --store-log-probabilities ask for; without them training computes hidden states from the tokens. The
      folder 'prompts' takes what an instruction model writes as its own user, with --prompts self; those that
      repeat others, break off or are no text aren't answered.

        speculate distill data --target deep --data train.jsonl.zst --output answers
        speculate distill data --target deep --data prompts.jsonl --temperature 1 --output answers
        speculate distill data --target chat.gguf --prompts self --output answers

      USAGE: speculate distill data [<options>] --target <target> --output <output>

      PROMPTS THAT THE TARGET WRITES:
        --prompt-temperature <prompt-temperature>
                                Temperature of the prompts that --prompts self writes. (default: 0.9)
        --prompt-top-p <prompt-top-p>
                                Share of the most probable tokens' mass that those are drawn from. (default:
                                0.95)
        --prompt-length <prompt-length>
                                Tokens of such a prompt at most; one that doesn't end by then is dropped.
                                (default: 192)
        --prompt-system <text …>
                                A system message before which such a prompt is written, to steer what it is
                                about; several take turns, and 'own' stands for what the template says by
                                itself. Answers don't see it.
        --exclude <file …>      Files of prompts, as --data, that no such prompt may come near: none has 13
                                words in a row of theirs.

      RESPONSES:
        --responses <responses> Responses to make. (default: 4000)
        --shortest-prompt <shortest-prompt>
                                Tokens of the shortest prompt. (default: 16)
        --longest-prompt <longest-prompt>
                                Tokens of the longest prompt. (default: 128, or 384 with --prompts self)
        --response-length <response-length>
                                Tokens of a response at most. (default: 160, or 256 with --prompts self)
        --response-batch <response-batch>
                                Responses made at a time. (default: 32)
        --answer-drafter <dir|suffix|none>
                                What drafts while the target answers, for speed; responses are the same: the
                                folder of a drafter made for the target, 'suffix' for matches in the text so
                                far, or 'none'. (default: none)
        --temperature <temperature>
                                0 for greedy responses. (default: 0, or 0.8 for a --sampled-share of 0.25
                                with 'distill' and --prompts self)
        --sampled-share <sampled-share>
                                The share of responses that are sampled at --temperature; the others are
                                greedy. (default: 1)

      FEATURES:
        --store-taps <i,j,…>    Layers of the target whose outputs are stored for every token, 0-based, so
                                that trainings with these --target-layers read them instead of running the
                                target: 4 bytes a layer and unit of the target's width, or 2 with
                                --store-precision bf16.
        --store-precision <f32|bf16>
                                What those outputs are rounded to: f32, or bf16 for half the bytes, which
                                trainings with --precision bf16 read, and learn the same from to the bit.
                                (default: what --output has, or f32) (values: f32, bf16)
        --store-log-probabilities <k>
                                How many of the target's most probable tokens are stored behind every token,
                                with their log-probabilities at temperature 1: 8 bytes each. Training doesn't
                                read them.

      OPTIONS:
        --target <target>       Folder of the target: config.json, safetensors and tokenizer.
        --data <file[:weight]>  Documents to cut prompts from: text, or JSON lines with a field "text", plain
                                or .zst. Lines with a field "prompt" instead are answered as they stand, and
                                those with "messages" or "turns" as chats, by the target's chat template;
                                chats longer than --longest-prompt are left out. Several are mixed by their
                                weights, 1 or what follows a colon.
        --tokens <tokens>       Instead of --data: a file of little-endian 16-bit tokens.
        --prompts <self[:weight]>
                                'self' for prompts that the target writes in the user's place of its chat
                                template, instead of --data or, with weights, beside it.
        --chat-template <name|file>
                                Write chats by this one of the target's chat templates, or by that of a file.
                                (default: the target's usual one, or its own for chats with tools)
        --chat-template-kwargs <json>
                                Values for the chat template, a JSON object such as
                                '{"enable_thinking": false}'; a chat's own 'chat_template_kwargs' come first.
        --parse-special/--no-parse-special
                                Take the spelling of a special token in a prompt or a chat for that token, or
                                else for text like any other. (default: yes, as transformers, vLLM and
                                llama.cpp do)
        -o, --output <output>   The folder of shards.
        --seed <seed>           Seed of prompts and sampling. (default: 1)
        --threads <n>           Threads to compute with. (default: one a physical core)
        --json                  Print how many responses and prompts there are as JSON.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }
}
