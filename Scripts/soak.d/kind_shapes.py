"""Sound models of odd shapes: every way to decode must agree, or the model be refused."""
import json

import tensors
import tokenizers
from kinds_base import Kind, Plan
from recipes import THREADS
from verdicts import Verdict, judge

ARCHITECTURES = {"llama": "LlamaForCausalLM", "mistral": "MistralForCausalLM",
                 "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}
FORMATS = [[], [], [], ["--weights", "int8"], ["--weights", "int4"], ["--weights", "bf16"],
           ["--kv-type", "bf16"], ["--weights", "int4", "--head-weights", "f32"],
           ["--weights", "int8", "--embedding-weights", "int4"]]
SAMPLINGS = [[], [], ["--temperature", "1"], ["--temperature", "0.7", "--top-p", "0.9", "--top-k", "7"],
             ["--temperature", "2", "--min-p", "0.1"], ["--repetition-penalty", "1.3"],
             ["--temperature", "0.01"], ["--temperature", "1", "--top-k", "1"], ["--ignore-end"]]
DRAFTING = [[], [], ["--draft-length", "1"], ["--draft-length", "9"], ["--recycling"], ["--no-suffix"],
            ["--draft-choice", "coupled"], ["--draft-choice", "argmax"], ["--drafter-passes", "2"]]
JACOBI = [[], ["--jacobi-block", "2"], ["--jacobi-blocks", "1"], ["--jacobi-pool", "0"],
          ["--jacobi-rows", "3"], ["--jacobi-spawn", "0.1"], ["--jacobi-block", "40"]]
PROMPTS = ["a", "abc", "abcabcabcabc", "ab" * 20, "\u00e9", "a" * 60, "the the the the the"]


class Shapes(Kind):
    name = "shapes"
    about = "sound models of odd shapes, families and contexts; every way to decode must agree"
    unit = "models"

    def prepare(self, place, number):
        source = self.source(number)
        configuration = shape(source)
        write(place.folder / "target", configuration, number, source)
        causal = configuration | {"num_hidden_layers": 1, "hidden_size": 8, "head_dim": 4,
                                  "num_attention_heads": 2, "num_key_value_heads": 1}
        write(place.folder / "causal", causal, number + 1, source)
        return Plan(configuration["model_type"], json.dumps(configuration),
                    arguments=arguments(source))

    def judge(self, place, number, plan):
        result = place.run(plan.arguments, note=plan.note)
        verdicts = judge(result)
        if b"outputs differ" in result.output or b"identical no" in result.output:
            verdicts.append(Verdict("silent", "plain and speculative decoding disagree", result))
        return verdicts, 1


def arguments(source):
    """One comparison of two ways to decode."""
    words = ["generate", "--target", "target", "--compare", "--repeats", "1", "--prompt",
             source.choice(PROMPTS), "--max-tokens", str(source.choice([1, 2, 9, 33, 100])),
             "--seed", str(source.randrange(9)), *source.choice(FORMATS), *source.choice(SAMPLINGS)]
    if source.random() < 0.3:
        return words + ["--decoder", "jacobi", *source.choice(JACOBI), *THREADS]
    drafter = source.choice(["suffix", "causal", "target"])
    drafting = source.choice(DRAFTING)
    if "--drafter-passes" in drafting and drafter == "suffix" or "--no-suffix" in drafting and (
            drafter == "suffix"):
        drafting = []
    return words + ["--drafter", drafter, *drafting, *THREADS]


def shape(source):
    """The configuration of a model that exists nowhere but could."""
    pick = source.choice
    family = pick(list(ARCHITECTURES))
    groups, heads = pick([1, 1, 2, 3]), pick([1, 1, 2, 3, 5])
    configuration = {
        "model_type": family, "architectures": [ARCHITECTURES[family]],
        "vocab_size": pick([261, 261, 262, 300, 513]), "hidden_size": pick([1, 2, 7, 8, 16, 31, 32, 33, 65]),
        "intermediate_size": pick([1, 3, 16, 31, 48, 65]), "num_hidden_layers": pick([1, 1, 2, 3]),
        "num_attention_heads": heads * groups, "num_key_value_heads": heads,
        "head_dim": pick([2, 4, 6, 8, 10, 16, 18, 32, 34]), "rms_norm_eps": pick([1e-6, 1e-5, 0.01, 1.0]),
        "rope_theta": pick([1.0, 100.0, 10000.0, 1e6, 1e12]),
        "max_position_embeddings": pick([2, 8, 17, 64, 100, 128, 300, 1000]),
        "tie_word_embeddings": pick([True, False]), "bos_token_id": 1, "eos_token_id": pick([2, [2, 5], [], None])}
    if family == "mistral" or family == "qwen2" and pick([True, False]):
        configuration["sliding_window"] = pick([1, 2, 7, 8, 64, 4096, None])
        if family == "qwen2":
            configuration |= {"use_sliding_window": True, "max_window_layers": pick([0, 1, 2])}
    if pick([True, False, False]):
        configuration["rope_scaling"] = pick([
            {"rope_type": "linear", "factor": 2.0}, {"rope_type": "default"},
            {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
             "original_max_position_embeddings": 16}])
    return configuration


def write(folder, configuration, seed, source):
    """A folder of random weights of that shape."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(configuration))
    (folder / "tokenizer.model").write_bytes(tokenizers.bytes_model(configuration["vocab_size"]))
    weights = tensors.RandomWeights(seed)
    weights.add("model.embed_tokens.weight", configuration["vocab_size"], configuration["hidden_size"])
    family = configuration["model_type"]
    for layer in range(configuration["num_hidden_layers"]):
        weights.add_layer(f"model.layers.{layer}.", configuration, norms=family == "qwen3",
                          biases=family == "qwen2")
    weights.add("model.norm.weight", configuration["hidden_size"])
    if not configuration["tie_word_embeddings"]:
        weights.add("lm_head.weight", configuration["vocab_size"], configuration["hidden_size"])
    (folder / "model.safetensors").write_bytes(
        tensors.pack(tensors.stored(weights.tensors, source.choice(["F32", "F32", "BF16"]))))
