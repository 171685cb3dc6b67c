import Testing

/// The help of `speculate bench` and its subcommands.
@Suite struct BenchHelpTests {
  @Test func bench() throws {
    try expectHelp(
      ["bench", "--help"],
      """
      OVERVIEW: Measure this machine and how well decoding and training use it.

      USAGE: speculate bench <subcommand>

      OPTIONS:
        --version               Show the version.
        -h, --help              Show help information.

      SUBCOMMANDS:
        memory                  Read the target's weights and do nothing else: the ceiling of plain
                                decoding.
        roofline                Measure what this machine can read and multiply: how many drafts are free.
        matmul                  Time products of one weight matrix with 1 to 64 rows, in every weight
                                format.
        forward                 Time target passes of 1 to 64 rows: what checking a block costs against
                                one token.
        decode                  Decode plainly and read the weights in turn, or decode prompts plainly
                                and speculatively.
        serve                   Put a load on a server, and tell how long answers take.
        train                   Train on random tokens: how fast steps of pretraining are, against a
                                large product.
        exchange                Measure what sums of gradients over ranks take, alone and in steps.

        See 'speculate help bench <subcommand>' for detailed help.
      """)
  }

  @Test func benchMemory() throws {
    try expectHelp(
      ["bench", "memory", "--help"],
      """
      OVERVIEW: Read the target's weights and do nothing else: the ceiling of plain decoding.

      Producing one token reads every weight once, so the bytes per second printed here, divided by the
      bytes of the weights, are the tokens per second that plain decoding can't exceed.

      USAGE: speculate bench memory [--target <dir>] [--shape <name>] [--weights <format>] [--head-weights <format>] [--embedding-weights <format>] [--activations <type>] [--threads <n>] [--rounds <n>] [--json]

      OPTIONS:
        --target <dir>          Folder of the target model: config.json, safetensors and tokenizer.
                                (default: the embedded one, Weights/target)
        --shape <name>          Measure random weights of a published model's shape instead of a target:
                                bf16 unless --weights says otherwise. (values: qwen2.5-0.5b, qwen3-0.6b,
                                qwen3-1.7b, qwen3-4b, qwen3-30b-a3b, olmoe-1b-7b, gpt2,
                                pythia-410m)
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
        --threads <n>           Threads to compute with. (default: one a physical core)
        --rounds <n>            Measurements to take the median of. (default: 9)
        --json                  Print one JSON object instead of text.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test func benchRoofline() throws {
    try expectHelp(
      ["bench", "roofline", "--help"],
      """
      OVERVIEW: Measure what this machine can read and multiply: how many drafts are free.

      A pass reads every weight once and multiplies it by each row. Rows are free until multiplying takes
      longer than reading. The peak is what multiplications reach in registers; products of 16 rows in
      cache show how much of it a format's own work leaves.

      speculate bench roofline
      speculate bench roofline --threads 1 --json

      USAGE: speculate bench roofline [--threads <n>] [--rounds <n>] [--json]

      OPTIONS:
        --threads <n>           Threads to compute with. (default: one a physical core)
        --rounds <n>            Measurements to take the median of. (default: 9)
        --json                  Print one JSON object instead of text.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test func benchMatmul() throws {
    try expectHelp(
      ["bench", "matmul", "--help"],
      """
      OVERVIEW: Time products of one weight matrix with 1 to 64 rows, in every weight format.

      The weights come from memory: as many copies of the matrix as caches can't hold take turns. A
      simple read of the same bytes is measured beside them.

      speculate bench matmul
      speculate bench matmul --matrix 3072x1024 --formats bf16 --rows 1,16,64 --json

      USAGE: speculate bench matmul [--matrix <rowsxcolumns>] [--formats <format> ...] [--rows <n,n,…>] [--threads <n>] [--rounds <n>] [--json]

      OPTIONS:
        --matrix <rowsxcolumns> Outputs and inputs of the matrix. (default: 4096x4096)
        --formats <format>      Weight formats to measure. (default: f32, bf16, int8, int4) (values: f32, bf16, int8, int4, q4_1, q5_0, q5_1, mxfp4,
                                  q2_k, q3_k, q4_k, q5_k, q6_k)
        --rows <n,n,…>          Rows of activations. (default: 1,2,4,6,8,12,16,24,32,48,64)
        --threads <n>           Threads to compute with. (default: one a physical core)
        --rounds <n>            Measurements to take the median of. (default: 9)
        --json                  Print one JSON object instead of text.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test func benchForward() throws {
    try expectHelp(
      ["bench", "forward", "--help"],
      """
      OVERVIEW: Time target passes of 1 to 64 rows: what checking a block costs against one token.

      Every pass computes the logits of all its rows. Each measurement stands between two of a single
      row, so that a change of a shared machine meets both sides of the ratio.

      speculate bench forward
      speculate bench forward --shape qwen3-0.6b --rows 1,8,16 --prefill 512 --json

      USAGE: speculate bench forward <options>

      OPTIONS:
        --target <dir>          Folder of the target model: config.json, safetensors and tokenizer.
                                (default: the embedded one, Weights/target)
        --shape <name>          Measure random weights of a published model's shape instead of a target:
                                bf16 unless --weights says otherwise. (values: qwen2.5-0.5b, qwen3-0.6b,
                                qwen3-1.7b, qwen3-4b, qwen3-30b-a3b, olmoe-1b-7b, gpt2,
                                pythia-410m)
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
        --rounds <n>            Measurements to take the median of. (default: 9)
        --rows <n,n,…>          Rows of the passes. (default: 1,2,4,6,8,12,16,24,32,48,64)
        --context <n>           Positions in the cache before a measurement. (default: 256, or fewer in a
                                small context)
        --prefill <n>           Time a prompt of this many tokens as well.
        --json                  Print one JSON object instead of text.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test func benchDecode() throws {
    try expectHelp(
      ["bench", "decode", "--help"],
      """
      OVERVIEW: Decode plainly and read the weights in turn, or decode prompts plainly and speculatively.

      A token moves every weight once, so plain decoding is measured against a read of the weights. Each
      measurement of decoding stands between two of reading, because the bandwidth of a shared machine
      changes while a program runs.

      With --prompt-file each measurement decodes all prompts plainly and speculatively in turn: how much
      faster drafts make it, over all outputs and over those that don't end in a repeating loop. Outputs
      that aren't identical are an error.

      speculate bench decode
      speculate bench decode --prompt-file prompts.jsonl --limit 20 --max-tokens 128 --json

      USAGE: speculate bench decode <options>

      PROMPTS:
        --prompt-file <file>    Measure plain and speculative decoding of these prompts in turn: a .jsonl
                                file with a 'prompt' field or a chat in every line, or a text file, which
                                is one; - reads standard input.
        --limit <n>             Take the first n prompts only.
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
        --drafter <dir|suffix|none>
                                Folder of a drafter made for the target, or of any causal model with the
                                target's vocabulary; 'suffix' to draft without a model, from matches in
                                the text so far; or 'none' for plain decoding. (default: the one in
                                Weights that was made for the target; 'suffix' if there is none)
        --drafter-weights <format>
                                How to hold the drafter's matrices. (default: int8, or f32 where they are
                                stored so) (values: f32, bf16, int8, int4, q4_1, q5_0, q5_1, mxfp4,
                                  q2_k, q3_k, q4_k, q5_k, q6_k)
        --drafter-passes <n>    Passes of a causal drafter in a round, in which it iterates on all drafts
                                at once, as models from 'speculate force' can. (default: one a draft)
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
        --verification <rule>   How drafts become tokens above temperature 0: 'match' keeps the output of
                                plain decoding, token for token; 'token' (rejection sampling) and
                                'block' keep its distribution, on chains of drafts that are drawn with
                                numbers of their own. (default: match) (values: match, token, block)

      OPTIONS:
        --target <dir>          Folder of the target model: config.json, safetensors and tokenizer.
                                (default: the embedded one, Weights/target)
        --shape <name>          Measure random weights of a published model's shape instead of a target:
                                bf16 unless --weights says otherwise. (values: qwen2.5-0.5b, qwen3-0.6b,
                                qwen3-1.7b, qwen3-4b, qwen3-30b-a3b, olmoe-1b-7b, gpt2,
                                pythia-410m)
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
        --rounds <n>            Measurements to take the median of. (default: 9, or 3 with --prompt-file)
        --tokens <n>            Tokens of one measurement without --prompt-file. (default: 64)
        --context <n>           Positions in the cache before a measurement. (default: 256, or fewer in a
                                small context)
        --json                  Print one JSON object instead of text.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test func benchTrain() throws {
    try expectHelp(
      ["bench", "train", "--help"],
      """
      OVERVIEW: Train on random tokens: how fast steps of pretraining are, against a large product.

      The model is the embedded target's unless sizes are given. Operations are those of the matrix
      products: 6 for every weight and token, and 12 for every value of a head, query and key that it
      sees. Each step stands between two large products of the same precision by the same kernels on as
      many threads. Without AVX-512 products of f32 are OpenBLAS's, whose kernels OPENBLAS_CORETYPE in
      the environment chooses.

      speculate bench train
      speculate bench train --hidden 512 --intermediate 1536 --layers 10 --heads 8 --kv-heads 4 --length
      512 --rounds 5 --json

      USAGE: speculate bench train <options>

      MODEL:
        --vocabulary <vocabulary>
                                Tokens of the vocabulary. (default: 8192)
        --hidden <hidden>       Width of the residual stream. (default: 384)
        --intermediate <intermediate>
                                Width of the gated feed-forward part. (default: 1088)
        --heads <heads>         Query heads. (default: 6)
        --kv-heads <kv-heads>   Key/value heads; divides --heads. (default: 2)
        --head-dim <head-dim>   Width of a head. (default: 64)
        --layers <layers>       Decoder layers. (default: 20)

      STEP:
        --length <length>       Tokens of a sequence. (default: 256)
        --batch <batch>         Sequences of a step. (default: 8)
        --micro-batch <micro-batch>
                                Sequences a thread takes at once: fewer need less memory. (default: 4)

      OPTIONS:
        --precision <precision> What matrix products round their factors to; sums, parameters and
                                gradients are f32. (default: bf16 where the processor has AVX-512 BF16,
                                else f32; a run that goes on keeps its own) (values: f32, bf16)
        --threads <n>           Threads to compute with. (default: one a physical core)
        --rounds <n>            Measurements to take the median of. (default: 9)
        --json                  Print one JSON object instead of text.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }
}
