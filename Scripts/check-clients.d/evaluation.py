"""lm-eval's local-completions against a server of this project: log-likelihoods and generation.

The task's documents come from a file, because no hub is needed to find out whether a server is understood.
"""

import json
import math
import os
import sys

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
BASE, KEY, FOLDER = sys.argv[1:4]
os.environ["OPENAI_API_KEY"] = KEY
os.environ["LMEVAL_LOG_LEVEL"] = "ERROR"
os.environ["TQDM_DISABLE"] = os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
os.environ["HF_HOME"] = os.path.join(FOLDER, "home")

import lm_eval  # noqa: E402
import requests  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402

documents = [
    {"text": "for index in 0..<", "choices": ["count", "}}}}"], "gold": 0},
    {"text": "import Foun", "choices": ["dation", "]]]]]]"], "gold": 0},
    {"text": "guard let value else { ", "choices": ["return", "%%%%%%"], "gold": 0},
]
with open(os.path.join(FOLDER, "documents.jsonl"), "w") as file:
    file.writelines(json.dumps(document) + "\n" for document in documents)
COMMON = f"""
dataset_path: json
dataset_kwargs:
  data_files:
    test: {FOLDER}/documents.jsonl
test_split: test
doc_to_text: "{{{{text}}}}"
"""
TASKS = {
    "swift_choice": COMMON + """
task: swift_choice
output_type: multiple_choice
doc_to_target: gold
doc_to_choice: choices
target_delimiter: ""
metric_list:
  - metric: acc
""",
    "swift_continue": COMMON + """
task: swift_continue
output_type: generate_until
doc_to_target: "{{choices[gold]}}"
generation_kwargs:
  until: ["\\n"]
  max_gen_toks: 16
metric_list:
  - metric: exact_match
""",
}
for name, text in TASKS.items():
    with open(os.path.join(FOLDER, name + ".yaml"), "w") as file:
        file.write(text)

headers = {"Authorization": f"Bearer {KEY}"}
model = requests.get(BASE + "/v1/models", headers=headers).json()["data"][0]["id"]
results = lm_eval.simple_evaluate(
    model="local-completions",
    model_args={
        "model": model, "base_url": BASE + "/v1/completions", "tokenizer_backend": "remote",
        "auth_token": KEY, "num_concurrent": 4, "max_length": 1024,
    },
    tasks=list(TASKS), batch_size=2, log_samples=True, bootstrap_iters=0,
    task_manager=TaskManager(include_path=FOLDER, include_defaults=False),
)


def completion(**fields):
    answer = requests.post(
        BASE + "/v1/completions", headers=headers, json={"model": model, "temperature": 0, **fields})
    return answer.json()["choices"][0]


# What lm-eval read is what the server says of the same text.
compared = 0
for sample in results["samples"]["swift_choice"]:
    document = sample["doc"]
    for choice, answer in zip(document["choices"], sample["filtered_resps"]):
        said = completion(prompt=document["text"] + choice, echo=True, logprobs=1, max_tokens=0)
        offsets = said["logprobs"]["text_offset"]
        own = [
            value for value, offset in zip(said["logprobs"]["token_logprobs"], offsets)
            if offset >= len(document["text"])
        ]
        if not own or offsets[-len(own)] != len(document["text"]):
            continue  # a token stands across the border
        compared += 1
        if not math.isclose(sum(own), float(answer[0]), rel_tol=1e-5):
            sys.exit(f"lm-eval: {choice!r} has {answer[0]}, but the server says {sum(own)}")
if compared == 0:
    sys.exit("lm-eval: no choice begins with a token of its own")
for sample in results["samples"]["swift_continue"]:
    own = completion(prompt=sample["doc"]["text"], max_tokens=16, stop=["\n"])["text"]
    if sample["resps"][0][0] != own:
        sys.exit(f"lm-eval: generated {sample['resps'][0][0]!r}, but the server says {own!r}")
accuracy = results["results"]["swift_choice"]["acc,none"]
if accuracy < 0.99:
    sys.exit(f"lm-eval: the model finds nonsense likelier than Swift: {accuracy}")
print("lm-eval", lm_eval.__version__, "is served: accuracy", accuracy)
