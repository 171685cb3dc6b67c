"""The sound inputs: tiny models, tokenizers and texts, and what the program itself makes of them.

Everything is written once to a folder and then only copied. Names in it are what the commands of
`recipes.py` use, relative to the folder.
"""
import json
import pathlib
import random
import shutil
import subprocess

import recipes
import tensors
import tokenizers

PACKAGE = pathlib.Path(__file__).resolve().parent.parent.parent
FIXTURES = PACKAGE / "Tests/Fixtures"
VERSION = 8

SHAPE = {
    "model_type": "qwen3", "vocab_size": tokenizers.VOCABULARY, "hidden_size": 32,
    "intermediate_size": 48, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16,
    "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "max_position_embeddings": 128,
    "tie_word_embeddings": True,
}
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role not in ['system', 'user', 'assistant'] %}{{ raise_exception('No ' ~ m.role) }}"
    "{% endif %}[{{ m.role[0] }}]{{ m.content | trim }}{{ eos_token }}{%- endfor %}"
    "{% if add_generation_prompt %}[a]{% endif %}")


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1))


def text(seed, length=120):
    """A text of few letters, in which things repeat."""
    source = random.Random(seed)
    return "".join(
        chr(97 + source.randrange(3) * source.randrange(9)) for _ in range(length))


def write_target(folder, seed=1, vocabulary=tokenizers.VOCABULARY):
    folder.mkdir()
    shape = SHAPE | {"vocab_size": vocabulary}
    write_json(folder / "config.json", shape | {
        "architectures": ["Qwen3ForCausalLM"], "num_hidden_layers": 2,
        "bos_token_id": tokenizers.BEGIN, "eos_token_id": tokenizers.END})
    weights = tensors.RandomWeights(seed)
    weights.add("model.embed_tokens.weight", vocabulary, 32)
    for layer in range(2):
        weights.add_layer(f"model.layers.{layer}.", shape)
    weights.add("model.norm.weight", 32)
    (folder / "model.safetensors").write_bytes(tensors.pack(weights.tensors))


def write_target_texts(folder):
    (folder / "tokenizer.model").write_bytes(tokenizers.bytes_model())
    write_json(folder / "tokenizer_config.json", {
        "bos_token": "<s>", "eos_token": "</s>", "add_bos_token": True, "add_eos_token": False,
        "chat_template": TEMPLATE})
    write_json(folder / "generation_config.json", {
        "bos_token_id": 1, "eos_token_id": [2], "temperature": 1.0, "do_sample": True})
    write_json(folder / "special_tokens_map.json", {
        "bos_token": {"content": "<s>", "lstrip": False, "rstrip": False}, "eos_token": "</s>",
        "unk_token": "<unk>"})


def write_drafter(folder):
    """A drafter that is conditioned on the target."""
    folder.mkdir()
    write_json(folder / "config.json", SHAPE | {
        "architectures": ["DFlashDraftModel"], "num_hidden_layers": 1, "block_size": 4,
        "num_target_layers": 2,
        "dflash_config": {"mask_token_id": tokenizers.MASK, "target_layer_ids": [1]}})
    weights = tensors.RandomWeights(2)
    weights.add("fc.weight", 32, 32)
    weights.add("hidden_norm.weight", 32)
    weights.add_layer("layers.0.", SHAPE)
    weights.add("norm.weight", 32)
    (folder / "model.safetensors").write_bytes(tensors.pack(weights.tensors))


def split_weights(source, folder):
    """The same model in two shards with an index."""
    shutil.copytree(source, folder)
    whole = folder / "model.safetensors"
    entries, _ = tensors.unpack(whole.read_bytes())
    whole.unlink()
    names, places = sorted(entries), {}
    for part in range(2):
        file = f"model-0000{part + 1}-of-00002.safetensors"
        chosen = names[part::2]
        (folder / file).write_bytes(tensors.pack({name: entries[name] for name in chosen}))
        places |= {name: file for name in chosen}
    write_json(folder / "model.safetensors.index.json", {
        "metadata": {"total_size": sum(len(data) for _, _, data in entries.values())},
        "weight_map": places})


def compress(path):
    subprocess.run(["zstd", "-q", "--rm", "-f", str(path)], check=True)


def write_texts(folder):
    prompts = [f"abc{number} {text(number, 20)}" for number in range(30)]
    lines = [json.dumps({"prompt": prompt}) for prompt in prompts]
    (folder / "prompts.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "few.jsonl").write_text("\n".join(lines[:3]) + "\n")
    documents = [json.dumps({"text": text(number, 160)}) for number in range(60)]
    (folder / "documents.jsonl").write_text("\n".join(documents) + "\n")
    heldout = [json.dumps({"text": text(number + 1000, 90)}) for number in range(20)]
    (folder / "heldout.jsonl").write_text("\n".join(heldout) + "\n")
    chats = [json.dumps({"messages": [{"role": "system", "content": "S"},
                                      {"role": "user", "content": f"hello {number}"}]})
             for number in range(2)] + [json.dumps({"turns": ["one", "two"], "category": "writing"})]
    (folder / "chats.jsonl").write_text("\n".join(chats) + "\n")
    (folder / "story.txt").write_text(text(5, 60) + "\n\u00e9\u4e2d\U0001f600\n")
    for name in ["few.jsonl", "documents.jsonl"]:
        shutil.copy(folder / name, folder / f"z-{name}")
        compress(folder / f"z-{name}")


def write_byte_pair_targets(folder):
    """Targets whose tokenizers are those of Tests/Fixtures, and one of vocab.json and merges.txt."""
    for name in ["gpt2", "llama3", "qwen2", "llama2", "metaspace-first", "digits"]:
        target = folder / f"target-{name}"
        vocabulary = json.loads((FIXTURES / f"tokenizers/{name}.json").read_text())
        size = len(vocabulary["model"]["vocab"]) + len(vocabulary.get("added_tokens", []))
        write_target(target, vocabulary=size)
        shutil.copy(FIXTURES / f"tokenizers/{name}.json", target / "tokenizer.json")
        write_json(target / "tokenizer_config.json", {
            "tokenizer_class": "PreTrainedTokenizerFast", "chat_template": TEMPLATE})
    write_gpt2_files(folder)


def write_gpt2_files(folder):
    source = json.loads((FIXTURES / "tokenizers/gpt2.json").read_text())
    target = folder / "target-merges"
    shutil.copytree(folder / "target-gpt2", target)
    (target / "tokenizer.json").unlink()
    write_json(target / "vocab.json", source["model"]["vocab"])
    merges = [" ".join(m) if isinstance(m, list) else m for m in source["model"]["merges"]]
    (target / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    write_json(target / "tokenizer_config.json", {
        "tokenizer_class": "GPT2Tokenizer", "chat_template": TEMPLATE})


def write_families(folder):
    """Small models of the other families, with tokenizers of as many letters."""
    for name in ["llama-llama3", "mistral", "qwen2-window", "qwen3-bf16", "llama-bias"]:
        family = folder / f"family-{name}"
        family.mkdir()
        for file in ["config.json", "generation_config.json", "model.safetensors"]:
            shutil.copy(FIXTURES / "models" / name / file, family / file)
        size = json.loads((family / "config.json").read_text())["vocab_size"]
        (family / "tokenizer.model").write_bytes(tokenizers.letters_model(size))
        write_json(family / "tokenizer_config.json", {"chat_template": "{{ messages[0].content }}"})


JINJA = """\
{%- macro body(m, first=false) %}{{ m.content | trim if m.content is string else m['content'] | tojson }}\
{%- endmacro -%}
{%- set ns = namespace(last=0, tool=false) -%}
{%- for m in messages[::-1] if m.role == 'user' %}{% set ns.last = loop.index0 %}{% endfor -%}
{{- bos_token -}}
{% if tools %}{{ tools | tojson(indent=2) }}{% else %}[none]{% endif %}
{% for m in messages %}
  {%- if loop.first and m.role != 'system' %}[s]you help{{ eos_token }}{% endif -%}
  {%- if m.role == 'user' or (m.role == "system" and not loop.first) -%}
    {{- '[' ~ m.role[:1] | upper ~ ']' + body(m, first=loop.first) + eos_token -}}
  {%- elif m.tool_calls is defined and m.tool_calls is iterable -%}
    {%- for call in m.tool_calls %}{{ call.function.name | replace('_', '-') }}{% endfor -%}
  {%- else %}{{ body(m) }}{{ loop.index * 2 // 3 % 2 }}{% endif %}
{% endfor %}
{%- if add_generation_prompt and not ns.tool %}[a]{{ strftime_now('%Y') if strftime_now is defined }}{% endif -%}
"""


def write_jinja_target(folder):
    """A target whose template is a file of its own."""
    shutil.copytree(folder / "target", folder / "target-jinja")
    write_json(folder / "target-jinja/tokenizer_config.json", {"bos_token": "<s>", "eos_token": "</s>"})
    (folder / "target-jinja/chat_template.jinja").write_text(JINJA)
    write_json(folder / "target-jinja/added_tokens.json", {"<mask>": tokenizers.MASK})
    write_json(folder / "target-merges/added_tokens.json", {"<extra>": 10})


def write_tokens(folder):
    source = random.Random(8)
    (folder / "tokens.u16").write_bytes(
        b"".join(source.randrange(4, 261).to_bytes(2, "little") for _ in range(4000)))


def write_handmade(folder):
    """All that needs no run of the program."""
    write_target(folder / "target")
    write_target_texts(folder / "target")
    write_drafter(folder / "drafter")
    write_target(folder / "small", seed=7)
    write_target_texts(folder / "small")
    split_weights(folder / "target", folder / "target-shards")
    shutil.copytree(folder / "target", folder / "target-zst")
    compress(folder / "target-zst/model.safetensors")
    write_texts(folder)
    write_byte_pair_targets(folder)
    write_families(folder)
    write_jinja_target(folder)
    write_tokens(folder)
    (folder / "tokenizer.model").write_bytes(tokenizers.bytes_model())


def build(folder, run):
    """Makes the folder unless it is there; `run.run` runs the program in it."""
    stamp, mark = folder / "version", f"{VERSION} {run.mark}"
    if stamp.exists() and stamp.read_text() == mark:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_handmade(folder)
    for name, arguments in recipes.SOUND:
        result = run.run(arguments, folder)
        if result.code != 0:
            raise SystemExit(
                f"soak: making the sound {name} fails: speculate {' '.join(arguments)}\n"
                + result.error.decode(errors="replace"))
    write_derived(folder, run.cache)
    cut_answers(folder, run)
    cut_trainings(folder, run)
    stamp.write_text(mark)


def cut_trace(folder):
    """The beginning of a trace, as an interrupted run leaves it."""
    trace = (folder / "trace.jsonl").read_bytes()
    unit = b'{"kind":"unit"}\n'
    (folder / "trace.jsonl.part").write_bytes(trace[:trace.index(unit) + len(unit) + 200])
    (folder / "trace.jsonl").unlink()


def write_derived(folder, cache):
    """The measured pass times."""
    shutil.copytree(cache, folder / "cache")


def cut_answers(folder, run):
    """Answers that were interrupted, so that the shard in the making has a tail."""
    output = folder / "answers-cut"
    for _ in range(10):
        shutil.rmtree(output, ignore_errors=True)
        run.interrupted(
            recipes.cut_answers("answers-cut"), folder, lambda: list(output.glob("tail-*.bin")))
        if list(output.glob("tail-*.bin")) and not list(output.glob("*.zst")):
            return
    print("soak: no interrupted 'distill data' left a tail; damage of tails is left out")


def cut_trainings(folder, run):
    """Trainings that were interrupted, each with two checkpoints."""
    for name, arguments in recipes.CUT.items():
        output, files = folder / name, ["checkpoint.safetensors", "checkpoint.previous.safetensors"]
        for _ in range(20):
            shutil.rmtree(output, ignore_errors=True)
            result = run.interrupted(
                arguments, folder, lambda: all((output / file).exists() for file in files))
            if result.code == 130 and all((output / file).exists() for file in files):
                break
        else:
            raise SystemExit(f"soak: no interrupted training left two checkpoints in {name}")
