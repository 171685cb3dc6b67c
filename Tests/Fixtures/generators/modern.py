"""Tiny random models of the families with soft caps, multipliers, windows and rotation by layer, and of every
way to stretch rotary frequencies. How they are made is in generators/classic.py, whose cases these are too.
"""

from . import classic

# Settings that transformers 4 calls otherwise stand under `legacy`.
SIZES = dict(vocab_size=72, hidden_size=32, intermediate_size=40, num_hidden_layers=2,
             num_attention_heads=4, num_key_value_heads=2, head_dim=8, max_position_embeddings=256,
             rms_norm_eps=1e-2, bos_token_id=1, eos_token_id=2)
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=32)
SHORT = [1.0, 1.25, 1.5, 2.0]
LONG = [1.0, 2.0, 4.0, 6.0]
LOCAL = dict(sliding_attention=dict(rope_type="default", rope_theta=100.0))


def changes(**others):
    """The changes that must show, with those of every case."""
    return dict(epsilon=dict(rms_norm_eps=1e-6), theta=dict(rope=dict(theta=50.0)), **others)


def windows(size):
    return dict(wider=dict(sliding_window=size + 1), narrower=dict(sliding_window=size - 1))


def gemma(model, seed, layers=2, changes=None, **fields):
    fields = dict(SIZES, num_hidden_layers=layers, pad_token_id=0, rms_norm_eps=0.3, **fields)
    return dict(model=model, seed=seed, rope=dict(theta=1000.0), fields=fields, changes=changes)


CASES = {
    # Rope, in a family that takes every kind.
    "llama-yarn": dict(
        model="Llama", seed=101, rope=dict(theta=10000.0, **YARN), fields=dict(SIZES),
        changes=changes(plain=dict(rope=dict(rope_type="default")), factor=dict(rope=dict(factor=8.0)))),
    "llama-yarn-own": dict(
        model="Llama", seed=102,
        rope=dict(theta=200.0, rope_type="yarn", factor=4.0, original_max_position_embeddings=128,
                  beta_fast=8.0, beta_slow=1.0, mscale=2.0, mscale_all_dim=0.5, truncate=False),
        fields=dict(SIZES),
        changes=changes(
            fast=dict(rope=dict(beta_fast=32.0)), truncated=dict(rope=dict(truncate=True)),
            magnitude=dict(rope=dict(mscale=1.0)))),
    "llama-dynamic": dict(
        model="Llama", seed=103, rope=dict(theta=1000.0, rope_type="dynamic", factor=2.0),
        fields=dict(SIZES), changes=changes()),
    "phi3-longrope": dict(
        model="Phi3", seed=104,
        rope=dict(theta=1000.0, rope_type="longrope", short_factor=SHORT, long_factor=LONG,
                  original_max_position_embeddings=128),
        fields=dict({key: value for key, value in SIZES.items() if key != "head_dim"},
                    original_max_position_embeddings=128, pad_token_id=0),
        legacy=dict(rope_scaling=dict(type="longrope", short_factor=SHORT, long_factor=LONG)),
        changes=changes(short=dict(rope=dict(short_factor=LONG)))),
    # Families.
    "gemma": gemma("Gemma", 111, changes=changes()),
    "gemma2": gemma(
        "Gemma2", 112, layers=3, sliding_window=8, query_pre_attn_scalar=24,
        attn_logit_softcapping=2.0, final_logit_softcapping=5.0, tie_word_embeddings=False,
        changes=changes(
            scalar=dict(query_pre_attn_scalar=8), cap=dict(attn_logit_softcapping=None),
            logits=dict(final_logit_softcapping=None), **windows(8))),
    "gemma2-head": gemma(
        "Gemma2", 113, layers=2, sliding_window=8, query_pre_attn_scalar=8,
        attn_logit_softcapping=2.0, final_logit_softcapping=5.0, tie_word_embeddings=False, attention_bias=False,
        changes=changes(**windows(8))),
    "gemma3": dict(gemma(
        "Gemma3", 114, layers=7, sliding_window=8, query_pre_attn_scalar=8, tie_word_embeddings=False,
        changes=dict(epsilon=dict(rms_norm_eps=1e-6), **windows(8))),
        config="Gemma3TextConfig",
        nested=dict(full_attention=dict(rope_type="linear", factor=4.0, rope_theta=1000.0), **LOCAL),
        legacy=dict(rope_theta=1000.0, rope_local_base_freq=100.0,
                    rope_scaling=dict(rope_type="linear", factor=4.0))),
    "gemma3-images": dict(
        model="Gemma3", seed=130, model_class="Gemma3ForConditionalGeneration",
        text=dict(
            SIZES, num_hidden_layers=2, rms_norm_eps=0.3, sliding_window=8, query_pre_attn_scalar=24,
            sliding_window_pattern=2, pad_token_id=0, tie_word_embeddings=False),
        legacy=dict(eos_token_id=2),
        fields=dict(
            vision_config=dict(
                hidden_size=4, intermediate_size=4, num_hidden_layers=1, num_attention_heads=1,
                image_size=4, patch_size=4),
            mm_tokens_per_image=1, image_token_index=71, boi_token_index=70, eoi_token_index=69,
            bos_token_id=1, eos_token_id=2, pad_token_id=0, tie_word_embeddings=False),
        changes=dict(epsilon=dict(text=dict(rms_norm_eps=1e-6)), wider=dict(text=dict(sliding_window=9)))),
    "smollm3": dict(
        model="SmolLM3", seed=115, rope=dict(theta=1000.0),
        fields=dict(SIZES, num_hidden_layers=5, pad_token_id=0),
        changes=changes(all=dict(no_rope_layers=[1] * 5))),
    "smollm3-listed": dict(
        model="SmolLM3", seed=116, rope=dict(theta=1000.0),
        fields=dict(
            SIZES, num_hidden_layers=3, pad_token_id=0, no_rope_layers=[0, 1, 1],
            use_sliding_window=True, sliding_window=8, attention_bias=True, mlp_bias=True,
            layer_types=["full_attention", "sliding_attention", "full_attention"]),
        changes=changes(other=dict(no_rope_layers=[1, 0, 1]), **windows(8))),
    "olmo2": dict(
        model="Olmo2", seed=117, rope=dict(theta=1000.0), fields=dict(SIZES, pad_token_id=0),
        changes=changes()),
    "olmo3": dict(
        model="Olmo3", seed=118, rope=dict(theta=1000.0),
        nested=dict(full_attention=dict(rope_theta=1000.0, **YARN),
                    sliding_attention=dict(rope_type="default", rope_theta=1000.0)),
        legacy=dict(rope_theta=1000.0, rope_scaling=dict(YARN)),
        fields=dict(SIZES, num_hidden_layers=4, sliding_window=8, pad_token_id=0),
        changes=dict(epsilon=dict(rms_norm_eps=1e-6), **windows(8))),
    "granite": dict(
        model="Granite", seed=119, rope=dict(theta=1000.0),
        fields=dict(
            SIZES, embedding_multiplier=3.0, residual_multiplier=0.4, attention_multiplier=0.6,
            logits_scaling=0.5, tie_word_embeddings=True),
        changes=changes(
            embedding=dict(embedding_multiplier=1.0), residual=dict(residual_multiplier=1.0),
            attention=dict(attention_multiplier=0.35), logits=dict(logits_scaling=1.0))),
    "granite-bias": dict(
        model="Granite", seed=120, rope=dict(theta=1000.0),
        fields=dict(SIZES, attention_multiplier=0.35, attention_bias=True, mlp_bias=True),
        changes=changes()),
    "granite4": dict(
        model="GraniteMoeHybrid", seed=121, rope=dict(theta=1000.0),
        legacy=dict(layer_types=["attention"] * 2),
        fields=dict(
            {key: value for key, value in SIZES.items() if key not in ("head_dim", "intermediate_size")},
            num_local_experts=0, shared_intermediate_size=40, layer_types=["full_attention"] * 2,
            position_embedding_type="rope", mamba_n_heads=4, mamba_d_head=16, attention_multiplier=0.6,
            embedding_multiplier=2.0, logits_scaling=0.5, residual_multiplier=0.5),
        changes=changes(nope=dict(position_embedding_type="nope"))),
    "glm": dict(
        model="Glm", seed=122, rope=dict(theta=1000.0, share=0.5), fields=dict(SIZES, pad_token_id=0),
        changes=changes(share=dict(rope=dict(share=1.0)))),
    "glm4": dict(
        model="Glm4", seed=123, rope=dict(theta=1000.0, share=0.5),
        fields=dict(SIZES, pad_token_id=0, attention_bias=False),
        changes=changes(share=dict(rope=dict(share=1.0)))),
    "ernie": dict(
        model="Ernie4_5", seed=124, rope=dict(theta=1000.0),
        fields=dict(SIZES, use_bias=True, pad_token_id=0), changes=changes()),
    "seed-oss": dict(
        model="SeedOss", seed=125, rope=dict(theta=1000.0), fields=dict(SIZES, pad_token_id=0),
        changes=changes()),
    "seed-oss-output": dict(
        model="SeedOss", seed=126, rope=dict(theta=1000.0),
        fields=dict(
            SIZES, pad_token_id=0, attention_bias=False, attention_out_bias=True, mlp_bias=True),
        changes=changes()),
    "exaone4": dict(
        model="Exaone4", seed=127, rope=dict(theta=1000.0),
        fields=dict(SIZES, num_hidden_layers=4, sliding_window=8, pad_token_id=0),
        changes=changes(**windows(8))),
    "exaone4-whole": dict(
        model="Exaone4", seed=128, rope=dict(theta=1000.0),
        fields=dict(
            SIZES, sliding_window=None, layer_types=["full_attention"] * 2, pad_token_id=0),
        changes=changes()),
    "helium": dict(
        model="Helium", seed=129, rope=dict(theta=1000.0), fields=dict(SIZES, pad_token_id=0),
        changes=changes()),
}


classic.CASES.update(CASES)


def make():
    """Writes models/NAME for every case."""
    classic.make(tuple(CASES))


def make_legacy():
    """Run with transformers 4: adds config.v4.json to each folder and proves the logits equal."""
    classic.make_legacy(tuple(CASES))
