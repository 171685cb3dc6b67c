import Analysis
import Testing

/// The help of `speculate analyze`, word by word.
@Suite struct AnalyzeHelpTests {
  @Test func analyze() throws {
    try expectHelp(
      ["analyze", "--help"],
      """
      OVERVIEW: Study acceptance: run configurations side by side, report on traces, give advice.

      USAGE: speculate analyze <subcommand>

      OPTIONS:
        --version               Show the version.
        -h, --help              Show help information.

      SUBCOMMANDS:
        run                     Run configurations side by side on prompt sets, and trace every round.
        report                  Report on traces: a summary, a page with charts, and the charts as SVG
                                and CSV.
        advise                  Measure this machine, replay traces, and recommend how to decode.
        branches                Tell where the target's tokens stood among a drafter's choices, and what
                                trees gain.
        perplexity              Say how well a target predicts a text: what formats and conversions cost.
        policies                Compare ways to denoise a block drafter's blocks, on the same texts.

        See 'speculate help analyze <subcommand>' for detailed help.
      """)
  }

  @Test func analyzeBranches() throws {
    try expectHelp(
      ["analyze", "branches", "--help"],
      """
      OVERVIEW: Tell where the target's tokens stood among a drafter's choices, and what trees gain.

      Replays the outputs of a trace. For every depth of a block it counts how often the target's token
      was the drafter's first choice, its second and so on, all drafts before it being right; and it
      compares chains and trees of the same numbers of rows, as if rows cost nothing up to there.

        speculate analyze branches run.jsonl.zst
        speculate analyze branches run.jsonl.zst --drafter small --rows 8 16 --branches 4

      USAGE: speculate analyze branches <trace> [--target <dir>] [--drafter <dir>] [--branches <n>] [--rows <n> ...] [--temperature <t>] [--draft-choice <rule>] [--threads <n>] [--limit <n>] [--json]

      ARGUMENTS:
        <trace>                 A trace that 'analyze run' or 'generate --trace' wrote.

      OPTIONS:
        --target <dir>          Folder of the target. (default: the one that the trace names)
        --drafter <dir>         Folder of the drafter. (default: the first that the trace names)
        --branches <n>          Choices beside the first that are looked at and followed. (default: 2)
        --rows <n>              Rows of the rounds to compare. (default: 4, 8, 16)
        --temperature <t>       Which of the trace's temperatures to study. (default: its first)
        --draft-choice <rule>   How drafts are chosen: 'argmax', or 'coupled' to the target's random
                                numbers. (default: by the temperature) (values: argmax, coupled, sampled)
        --threads <n>           Threads to compute with. (default: one a physical core)
        --limit <n>             Prompts to replay, at most, spread over the trace. (default: 60)
        --json                  Print one JSON object.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test func analyzeRun() throws {
    try expectHelp(
      ["analyze", "run", "--help"],
      """
      OVERVIEW: Run configurations side by side on prompt sets, and trace every round.

      Every combination of decoders, drafters, draft lengths, temperatures and formats is run, and plain
      decoding beside each of them, in turn on every prompt, so that speed-ups compare runs of the same
      minute. Lines of prompt files are those of Spec-Bench, MT-Bench, HumanEval, MBPP, GSM8K or
      MATH-500, or objects with "prompt" or "text", or chats, "messages" or "turns", which the
      target's chat template writes; any other file is one prompt. The same command again goes on
      where Ctrl-C stopped the last one.

        speculate analyze run --prompts humaneval.jsonl mbpp.jsonl --sample 60 \\
          --draft-length auto 3 7 --trace run.jsonl.zst --report report
        speculate analyze run --prompts heldout.jsonl.zst --prompt-tokens 64 --sample 60 \\
          --decoder draft jacobi --suffix on off --temperature 0 1 --trace run.jsonl.zst

      USAGE: speculate analyze run [<options>] --prompts <file> ... --trace <file>

      PROMPTS:
        --prompts <file>        Prompt files; - reads standard input.
        --sample <n>            Take n tasks in all, as many from every category, spread over each.
                                (default: all)
        --turns <n>             Turns of a chat, at most. (default: 1)
        --prompt-tokens <n>     Take the first n tokens only of prompts that are no chats; for
                                documents. (default: all)
        --chat                  Take each prompt for what a user says, and write it as the target's
                                chat template does.
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

      DECODERS:
        --decoder <decoder>     What decodes beside plain decoding, which always runs: 'draft', 'jacobi' or
                                both. (values: draft, jacobi; default: draft)
        --drafter <dir|suffix>  Folders of drafters made for the target, or of causal models with its
                                vocabulary, and 'suffix' for drafts from matches in the text so far.
                                (default: the one in
                                Weights that was made for the target; 'suffix' if there is none)
        --draft-length <n|auto> Drafts of a block, or the drafter's most if that is less; 'auto' drafts
                                as many as pay. (default: auto)
        --draft-choice <rule>   How drafts are chosen: 'argmax', or 'coupled' to the target's random
                                numbers. (default: by the temperature) (values: argmax, coupled, sampled)
        --branches <n>          Tokens beside the drafter's first choice that it looks at at each place,
                                and follows as far as they pay; 0 drafts a chain. With --draft-length
                                auto. (default: 2)
        --denoising <policy>    How a block drafter denoises its blocks: policies of docs/policies.md, each
                                with its settings behind a colon. (default: one-pass)
        --suffix <on|off>       Look the end of the text up in earlier text and draft what followed there:
                                'on', 'off' or both. (default: on, but off beside a drafter where
                                --draft-length is a number) (values: on, off)
        --recycling <on|off>    Try again what verification threw away: 'on', 'off' or both. (default: off)
                                (values: on, off)
        --jacobi-block <n>      Tokens of a block. (default: twice the rows that are nearly free, 8 to 32)
        --jacobi-blocks <n>     Blocks that are iterated at once. (default: 2)
        --jacobi-spawn <share>  Open another block when this share of the newest one agrees. (default:
                                0.85)
        --jacobi-pool <n>       Thrown-away guesses to keep and try again; 0 keeps none. (default: 4)
        --jacobi-rows <n>       Rows of every pass. (default: as many as pay, by measured times)

      SAMPLING:
        --max-tokens <n>        Tokens to generate at most. (default: 128)
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

      OPTIONS:
        --weights <format>      Formats to hold the target's matrices in. (default: as stored)
                                (values: f32, bf16, int8, int4, q4_1, q5_0, q5_1, mxfp4,
                                  q2_k, q3_k, q4_k, q5_k, q6_k)
        --temperature <t>       Temperatures; 0 is greedy decoding. (default: 0.0)
        --threads <n>           Threads to compute with. (default: one a physical core)
        --repeats <n>           Runs of every configuration on every prompt. (default: 1)
        --trace <file>          The trace to write, .jsonl or .jsonl.zst.
        --report <dir>          Also write a report to this folder.
        --json                  Print the summary as one JSON object.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test func analyzeReport() throws {
    try expectHelp(
      ["analyze", "report", "--help"],
      """
      OVERVIEW: Report on traces: a summary, a page with charts, and the charts as SVG and CSV.

      The summary goes to standard output. With --output, report.html (which needs nothing beside it),
      report.json with every figure, and each chart as SVG and CSV are written to a folder.

        speculate analyze report run.jsonl.zst --output report
        speculate analyze report monday.jsonl.zst tuesday.jsonl.zst --json

      USAGE: speculate analyze report <trace> ... [--output <dir>] [--json]

      ARGUMENTS:
        <trace>                 Traces that 'analyze run' or 'generate --trace' wrote.

      OPTIONS:
        -o, --output <dir>      The folder to write to.
        --json                  Print every figure as one JSON object instead of the summary.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test func analyzeAdvise() throws {
    try expectHelp(
      ["analyze", "advise", "--help"],
      """
      OVERVIEW: Measure this machine, replay traces, and recommend how to decode.

      The outputs of a trace say what the target will choose, so every way to draft can be tried on them
      without the target; short generations measure what rounds cost on this machine. The ways that
      promise most are then run for a moment, and the tokens per second to expect corrected by what that
      showed. Trace what you want to run: prompts like your own, at your temperature.

        speculate analyze advise run.jsonl.zst
        speculate analyze advise run.jsonl.zst --drafter small large --weights bf16 int8 --output advice

      USAGE: speculate analyze advise <trace> \
      [--target <dir>] [--drafter <dir|suffix|none> ...] \
      [--weights <format> ...] [--temperature <t>] \
      [--threads <n>] [--limit <n>] [--output <dir>] [--json]

      ARGUMENTS:
        <trace>                 A trace that 'analyze run' or 'generate --trace' wrote.

      OPTIONS:
        --target <dir>          Folder of the target. (default: the one that the trace names)
        --drafter <dir|suffix|none>
                                Folders of drafters to try; matches in the text so far are tried beside
                                them. 'suffix' tries these alone, and 'none' no drafts. (default: those
                                that the trace names)
        --weights <format>      Formats of the target's matrices to try. (default: those that the trace
                                names) (values: f32, bf16, int8, int4, q4_1, q5_0, q5_1, mxfp4,
                                  q2_k, q3_k, q4_k, q5_k, q6_k)
        --temperature <t>       Which of the trace's temperatures to advise for. (default: its first)
        --threads <n>           Threads to compute with. (default: one a physical core)
        --limit <n>             Prompts to replay, at most, spread over the trace. (default: 60)
        -o, --output <dir>      Also write the curve as SVG and CSV to this folder.
        --json                  Print the advice as one JSON object.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test func analyzePerplexity() throws {
    try expectHelp(
      ["analyze", "perplexity", "--help"],
      """
      OVERVIEW: Say how well a target predicts a text: what formats and conversions cost.

      The text is cut into windows that are read one by one, each from an empty cache and behind the
      model's begin token if it has one. Perplexities of models with other tokenizers can't be compared,
      but bits a byte can.

        speculate analyze perplexity book.txt --target model.gguf
        speculate analyze perplexity book.txt --weights int4 --kv-type bf16 --json

      USAGE: speculate analyze perplexity <text> [--target <dir>] [--weights <format>] \
      [--head-weights <format>] [--embedding-weights <format>] \
      [--activations <type>] [--kv-type <type>] \
      [--window <n>] [--tokens <n>] [--threads <n>] [--json]

      ARGUMENTS:
        <text>                  A text file.

      MODEL:
        --target <dir>          Folder of the target model: config.json, safetensors and tokenizer.
                                (default: the embedded one, Weights/target)
        --weights <format>      How to hold the target's matrices. (default: as they are stored) (values:
                                f32, bf16, int8, int4, q4_1, q5_0, q5_1, mxfp4, q2_k, q3_k, q4_k, q5_k,
                                q6_k)
        --head-weights <format> How to hold the head. (default: like the matrices, but int8 where they
                                have 5 bits or less) (values: f32, bf16, int8, int4, q4_1, q5_0, q5_1,
                                mxfp4, q2_k, q3_k, q4_k, q5_k, q6_k)
        --embedding-weights <format>
                                How to hold the token embedding. (default: like the head) (values: f32,
                                bf16, int8, int4, q4_1, q5_0, q5_1, mxfp4, q2_k, q3_k, q4_k, q5_k, q6_k)
        --activations <type>    What products take activations in: as they are, instead of rounded as
                                products of a format do. Closer to the model, and slower. (values: f32)
        --kv-type <type>        How to hold the target's keys and values; text may differ between types,
                                never between ways of decoding. (values: f32, bf16; default: f32)

      OPTIONS:
        --window <n>            Tokens of a window. (default: 512)
        --tokens <n>            Tokens of the text to read, at most. (default: all)
        --threads <n>           Threads to compute with. (default: one a physical core)
        --json                  Print one JSON object instead of text.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test func analyzePolicies() throws {
    try expectHelp(
      ["analyze", "policies", "--help"],
      """
      OVERVIEW: Compare ways to denoise a block drafter's blocks, on the same texts.

      The target writes the texts once. Every policy then drafts along them from where its own rounds
      would stand, which tells how many drafts would have been accepted, after how many passes. Costs
      come from one table: measured on this machine, or given in plain steps of the target. Without
      --denoising all policies run that the drafter is able to, with the constants of their papers.

        speculate analyze policies --prompts heldout.jsonl.zst --prompt-tokens 64 --sample 24
        speculate analyze policies --prompts prompts.jsonl --oracle --draft-cost 0.15 --verify-cost 1.3 \\
          --denoising one-pass left-run left-run:threshold=0.6,gate=1
        speculate analyze policies --prompts heldout.jsonl --practice others.jsonl --denoising filter
        speculate analyze policies --prompts heldout.jsonl --drafter-weights bf16 int8 int4 --outliers

      USAGE: speculate analyze policies [<options>] --prompts <file> ...

      PROMPTS:
        --prompts <file>        Prompt files; - reads standard input.
        --sample <n>            Take n tasks in all, as many from every category, spread over each.
                                (default: all)
        --turns <n>             Turns of a chat, at most. (default: 1)
        --prompt-tokens <n>     Take the first n tokens only of prompts that are no chats; for documents.
                                (default: all)
        --chat                  Take each prompt for what a user says, and write it as the target's chat
                                template does.
        --system <text>         The system message of chats that have none of their own. Belongs to
                                --chat.
        --chat-template <name|file>
                                Write chats by this one of the target's chat templates, or by that of a
                                file. (default: the target's usual one, or its own for chats with tools)
        --chat-template-kwargs <json>
                                Values for the chat template, a JSON object such as '{"enable_thinking":
                                false}'; a chat's own 'chat_template_kwargs' come first.
        --parse-special/--no-parse-special
                                Take the spelling of a special token in a prompt or a chat for that
                                token, or else for text like any other. (default: yes, as transformers,
                                vLLM and llama.cpp do)

      MODELS:
        --target <dir>          Folder of the target model: config.json, safetensors and tokenizer.
                                (default: the embedded one, Weights/target)
        --weights <format>      How to hold the target's matrices. (default: as they are stored) (values:
                                f32, bf16, int8, int4, q4_1, q5_0, q5_1, mxfp4, q2_k, q3_k, q4_k, q5_k,
                                q6_k)
        --head-weights <format> How to hold the head. (default: like the matrices, but int8 where they
                                have 5 bits or less) (values: f32, bf16, int8, int4, q4_1, q5_0, q5_1,
                                mxfp4, q2_k, q3_k, q4_k, q5_k, q6_k)
        --embedding-weights <format>
                                How to hold the token embedding. (default: like the head) (values: f32,
                                bf16, int8, int4, q4_1, q5_0, q5_1, mxfp4, q2_k, q3_k, q4_k, q5_k, q6_k)
        --activations <type>    What products take activations in: as they are, instead of rounded as
                                products of a format do. Closer to the model, and slower. (values: f32)

      SAMPLING:
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

      OPTIONS:
        --drafter <dir>         Folder of a block drafter made for the target. (default: the embedded
                                one, Weights/drafter)
        --drafter-weights <format>
                                Formats to hold the drafter's matrices in, side by side. (default: int8,
                                or f32 where they are stored so) (values: f32, bf16, int8, int4, q4_1,
                                q5_0, q5_1, mxfp4, q2_k, q3_k, q4_k, q5_k, q6_k)
        --denoising <policy>    Policies to compare with one pass, each a name and its settings:
                                name:key=value,key=value. (default: all that are known; none with several
                                --drafter-weights)
        --practice <file>       Prompt files that policies learn from first. What they learned by then
                                stands while they are measured. (default: they learn as they go)
        --practice-sample <n>   Of the practice, take n tasks in all, as --sample does. (default: all)
        --draft-length <n>      Drafts of a block, or the drafter's most if that is less. (default: its
                                most)
        --draft-choice <rule>   How drafts are chosen: 'argmax', or 'coupled' to the target's random
                                numbers. (default: by the temperature) (values: argmax, coupled, sampled)
        --draft-cost <x>        Cost of a drafter's pass in plain steps of the target. (default: measured)
        --verify-cost <x>       Cost of a target's pass over 8 rows in plain steps. (default: measured)
        --oracle                Also find out what a second pass could bring at the most: every block is
                                drafted again behind every set of its drafts, of which there are 2 to the
                                power of their number.
        --outliers              Also say how heavy the tails are of what the drafter's products take, and
                                of its matrices: what rounding to few bits has to cope with.
        --report <dir>          Also write a report to this folder.
        --threads <n>           Threads to compute with. (default: one a physical core)
        --json                  Print one JSON object instead of text.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }
}
