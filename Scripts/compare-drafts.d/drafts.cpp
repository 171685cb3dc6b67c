// Drafts along given texts with llama.cpp's own block drafters.
//
// Reads from standard input 1 or 0, whether the drafter has a confidence head, and then texts: a line of
// tokens, a line for each anchor (its position, how many drafts were accepted there, the drafts of another
// program), and an empty one. Writes three lines for each anchor: the drafts, the chances of those and of
// the other program's, and what the confidence head says of each. Scripts/compare-drafts builds it against a
// tree of llama.cpp and feeds it.

#include "arg.h"
#include "common.h"
#include "llama-ext.h"
#include "llama.h"
#include "speculative.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

static std::vector<int> numbers(const std::string & line) {
    std::istringstream stream(line);
    std::vector<int> result;
    for (int value; stream >> value;) result.push_back(value);
    return result;
}

// The chance of a token that stands at a place of scores; 0 for one that stands at none.
static double chance(const float * scores, int count, int place) {
    if (place < 0 || place >= count) return 0;
    const float most = *std::max_element(scores, scores + count);
    double sum = 0;
    for (int index = 0; index < count; index++) sum += std::exp((double) scores[index] - most);
    return std::exp((double) scores[place] - most) / sum;
}

// What the last block's rows say.
struct Rows {
    llama_context * context;
    int first = 1;       // the row of the first draft
    int candidates = 0;  // of DFlash 2's selector; 0 without one

    Rows(llama_context * context, bool is_chain) : context(context) {
        const llama_model * model = llama_get_model(context);
        candidates = llama_model_dflash_selector_top_k(model);
        char text[32] = {};
        if (is_chain && llama_model_meta_val_str(model, "dflash.sample_from_anchor", text, sizeof text) > 0
            && std::strcmp(text, "true") == 0) first = 0;
    }

    const float * extra(int place) const {
        return llama_get_embeddings_nextn(context)
            + (size_t) (place + first) * llama_model_n_embd(llama_get_model(context));
    }

    // The chance of a token at a place behind the drafts before it.
    double chance(int place, int token, const std::vector<llama_token> & drafts) const {
        if (candidates == 0) {
            const int count = llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(context)));
            return ::chance(llama_get_logits_ith(context, place + first), count, token);
        }
        auto column = [&](int place, int token) {
            const float * row = extra(place);
            return (int) (std::find(row, row + candidates, (float) token) - row);
        };
        const int before = place > 0 ? column(place - 1, drafts[place - 1]) : 0;
        return ::chance(extra(place) + candidates * (1 + before), candidates, column(place, token));
    }
};

int main(int argc, char ** argv) {
    common_params params;
    common_init();
    if (!common_params_parse(argc, argv, params, LLAMA_EXAMPLE_SPECULATIVE)) return 1;
    const auto limits = common_speculative_get_output_limits(
        params.n_batch, params.n_parallel, common_speculative_n_max(&params.speculative));
    params.n_outputs_max = limits.total;
    params.n_outputs_max_per_seq = limits.per_seq;
    llama_backend_init();
    auto loaded = common_init_from_params(params);
    llama_model * model = loaded->model();
    llama_context * target = loaded->context();
    if (!model || !target) return 1;
    common_params drafting = common_base_params_to_speculative(params);
    auto made = common_speculative_init_from_params(drafting, model, target);
    params.speculative.draft.ctx_tgt = target;
    params.speculative.draft.ctx_dft = made->context();
    llama_context * drafter = made->context();
    common_speculative * speculative = common_speculative_init(params.speculative, 1);
    if (!speculative || !drafter) return 1;
    const auto & types = params.speculative.types;
    const Rows rows(drafter, std::count(types.begin(), types.end(), COMMON_SPECULATIVE_TYPE_DRAFT_DSPARK) > 0);

    std::string line;
    std::getline(std::cin, line);
    const bool has_confidence = line == "1";
    while (std::getline(std::cin, line)) {
        const std::vector<int> tokens = numbers(line);
        llama_memory_clear(llama_get_memory(target), true);
        llama_memory_clear(llama_get_memory(drafter), true);
        llama_tokens text;  // what both have read
        common_batch batch(target);
        bool begun = false;
        int accepted = 0;
        auto read = [&](int end) {
            for (int start = (int) text.size(); start < end; start = (int) text.size()) {
                batch.clear();
                for (int at = start; at < end && at < start + params.n_batch; at++) {
                    batch.add(tokens[at], at, 0, begun);
                    text.push_back(tokens[at]);
                }
                llama_process(target, LLAMA_PROCESS_TYPE_DECODE, batch.get());
                if (!common_speculative_process(speculative, batch)) return false;
            }
            return true;
        };
        while (std::getline(std::cin, line) && !line.empty()) {
            const std::vector<int> entry = numbers(line);
            const int anchor = entry[0];
            if (!read(anchor)) return 1;
            if (!begun) common_speculative_begin(speculative, 0, text);
            else common_speculative_accept(speculative, 0, accepted);
            begun = true;
            accepted = entry[1];
            llama_tokens drafts;
            common_speculative_get_draft_params(speculative, 0) = {
                /* .drafting = */ true, /* .n_max = */ -1, /* .pos0 = */ anchor,
                /* .id_last  = */ tokens[anchor], /* .prompt = */ &text, /* .result = */ &drafts,
            };
            common_speculative_draft(speculative);
            printf("drafts");
            for (auto token : drafts) printf(" %d", token);
            printf("\nchances");
            for (size_t place = 0; place < drafts.size() && place + 2 < entry.size(); place++)
                printf(" %.9g %.9g", rows.chance(place, drafts[place], drafts),
                       rows.chance(place, entry[place + 2], drafts));
            printf("\nconfidences");
            for (size_t place = 0; has_confidence && place < drafts.size(); place++)
                printf(" %.9g", rows.extra(place)[0]);
            printf("\n");
            llama_memory_seq_rm(llama_get_memory(drafter), 0, anchor, -1);
        }
        fflush(stdout);
    }
    common_speculative_free(speculative);
    return 0;
}
