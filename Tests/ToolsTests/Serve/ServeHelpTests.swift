import Testing

/// Help of what serves and measures servers, word by word.
@Suite struct ServeHelpTests {
  @Test func serve() throws {
    try expectHelp(
      ["serve", "--help"],
      """
      OVERVIEW: Serve a model to programs that speak OpenAI's HTTP API, and to browsers.

      Requests share the passes of the target and of the drafter, and each answer is the one that it
      would get alone. Only programs of this machine are answered unless --host says otherwise. Ctrl-C,
      or a polite kill, lets running answers come to their end; a second one ends at once.

      speculate serve
      speculate serve --target qwen3-8b --drafter qwen3-8b-dflash --port 8000 --api-key-file key.txt

      USAGE: speculate serve <options>

      MODELS:
        --target <dir>          Folder of the target model: config.json, safetensors and tokenizer.
                                (default: the embedded one, Weights/target)
        --drafter <dir|suffix|none>
                                Folder of a drafter made for the target, or of any causal model with the
                                target's vocabulary; 'suffix' to draft without a model, from matches in
                                the text so far; or 'none' for plain decoding. (default: the one in
                                Weights that was made for the target; 'suffix' if there is none)
        --drafter-weights <format>
                                How to hold the drafter's matrices. (default: int8, or f32 where they are
                                stored so) (values: f32, bf16, int8, int4, q4_1, q5_0, q5_1, mxfp4, q2_k,
                                q3_k, q4_k, q5_k, q6_k)
        --drafter-passes <n>    Passes of a causal drafter in a round, in which it iterates on all drafts
                                at once, as models from 'speculate force' can. (default: one a draft)
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
        --threads <n>           Threads to compute with. (default: one a physical core)
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

      BATCHING:
        --max-sequences <n>     Requests that share rounds at most. (default: 16)
        --max-queue <n>         Requests that wait at most; more are refused. (default: 256)
        --kv-memory <n>         Megabytes for keys and values. (default: a quarter of the memory that is
                                free)
        --max-prompt <n>        Tokens of a prompt at most. (default: as many as the context holds)
        --prefix-cache/--no-prefix-cache
                                Keep what was computed of prompts for others that begin alike. (default:
                                yes)

      SERVER:
        --host <address>        The address to listen on; 0.0.0.0 takes requests from other machines.
                                (default: 127.0.0.1)
        --port <n>              The port to listen on; 0 takes a free one. (default: 8080)
        --model-name <name>     What clients call the model. (default: the folder's name)
        --api-key <key>         Take only requests with this key, as 'Authorization: Bearer KEY'; others
                                of this machine can see it in the list of processes. (default:
                                $SPECULATE_API_KEY, or no key)
        --api-key-file <file>   The same with keys out of a file, one a line.
        --cors-origin <origin>  Let web pages of this origin ask, or of any with '*'; may be given
                                several times.
        --allowed-hosts <name>  Answer requests that call the server by this name, or by any with '*'; may be
                                given several times. (default: on loopback names of this machine only,
                                elsewhere any)
        --max-body <n>          Bytes of a request's body at most. (default: 8388608)
        --body-timeout <s>      Seconds within which a request's body has to come. (default: 30.0)
        --answer-timeout <s>    Seconds that an answer may take. (default: 600.0)
        --idle-timeout <s>      Seconds that a connection may stay without a request. (default: 75.0)
        --drain-timeout <s>     Seconds that running answers have to end when the server leaves.
                                (default: 30.0)
        --max-connections <n>   Connections at a time; more wait for one to end. (default: 1024)
        --log-prompts           Write what was asked to the log too.
        --json                  Write the log as JSON, one object a line.

      OPTIONS:
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test func benchServe() throws {
    try expectHelp(
      ["bench", "serve", "--help"],
      """
      OVERVIEW: Put a load on a server, and tell how long answers take.

      Any server that speaks OpenAI's API can be measured, this one and llama-server as well. With
      --clients each client sends its next request when it has its answer; with --rate requests come at
      random times, whoever waits. Several servers are measured one after the other.

      --shared-prefix measures what a server's prefix cache saves: each of some texts is the beginning of
      two prompts, one after the other, and the time to the first token is told for the first and for
      the second of them.

      speculate bench serve --url http://127.0.0.1:8080 --prompt-file prompts.jsonl --clients 8
      speculate bench serve --url http://127.0.0.1:8080 --url http://127.0.0.1:8081 --prompt-file
      prompts.jsonl --rate 2 --requests 100 --json
      speculate bench serve --url http://127.0.0.1:8080 --prompt-file prompts.jsonl --shared-prefix 1000

      USAGE: speculate bench serve [<options>] --url <http://host:port> ... --prompt-file <file>

      OPTIONS:
        --url <http://host:port>
                                A server to measure; may be given several times.
        --prompt-file <file>    The prompts: a .jsonl file with a 'prompt' field or a chat in every line,
                                or a text file; - reads standard input.
        --limit <n>             Take the first n prompts only.
        --chat                  Take texts for what a user says, and ask for an answer of a chat.
        --clients <n>           Clients that each wait for their answer. (default: 8)
        --rate <x>              Requests a second, whoever waits.
        --shared-prefix <n>     Tokens of a beginning that two prompts share, cut from the prompts' texts;
                                one request at a time.
        --requests <n>          Requests in all, or beginnings. (default: one a prompt; 8 beginnings)
        --max-tokens <n>        Tokens of an answer at most. (default: 128; 1 with --shared-prefix)
        --temperature <t>       0 takes the most probable token; higher values vary more. (default: 0.0)
        --seed <n>              Selects the random numbers, of answers and of the times of requests.
                                (default: 0)
        --ignore-end            Ask for answers that go on past end tokens, so that all have the same
                                length.
        --model <name>          What requests call the model. (default: the first that the server has)
        --api-key <key>         The key to send. (default: $SPECULATE_API_KEY, or none)
        --timeout <s>           Seconds that a request waits for more of its answer. (default: 600.0)
        --goal-first <s>        Seconds to the first token for an answer to count as goodput. (default:
                                1)
        --goal-token <s>        Seconds of each token after it for an answer to count as goodput.
                                (default: 0.1)
        --json                  Print one JSON object a server instead of text.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }
}
