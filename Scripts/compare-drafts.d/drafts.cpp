// Drafts along given texts with llama.cpp's own block drafters.
//
// Reads texts from standard input, three lines each: the tokens, the positions of the anchors, and how many
// drafts were accepted at each. Writes a line of drafts for each anchor. Scripts/compare-drafts builds it
// against a tree of llama.cpp and feeds it.

#include "arg.h"
#include "common.h"
#include "llama.h"
#include "speculative.h"

#include <cstdio>
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

    std::string first, second, third;
    while (std::getline(std::cin, first) && std::getline(std::cin, second) && std::getline(std::cin, third)) {
        const std::vector<int> tokens = numbers(first), anchors = numbers(second), accepted = numbers(third);
        llama_memory_clear(llama_get_memory(target), true);
        llama_memory_clear(llama_get_memory(drafter), true);
        llama_tokens text;  // what both have read
        common_batch batch(target);
        bool begun = false;
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
        for (size_t index = 0; index < anchors.size(); index++) {
            const int anchor = anchors[index];
            if (!read(anchor)) return 1;
            if (!begun) common_speculative_begin(speculative, 0, text);
            else common_speculative_accept(speculative, 0, accepted[index - 1]);
            begun = true;
            llama_tokens drafts;
            common_speculative_get_draft_params(speculative, 0) = {
                /* .drafting = */ true, /* .n_max = */ -1, /* .pos0 = */ anchor,
                /* .id_last  = */ tokens[anchor], /* .prompt = */ &text, /* .result = */ &drafts,
            };
            common_speculative_draft(speculative);
            llama_memory_seq_rm(llama_get_memory(drafter), 0, anchor, -1);
            printf("drafts");
            for (auto token : drafts) printf(" %d", token);
            printf("\n");
        }
        fflush(stdout);
    }
    common_speculative_free(speculative);
    return 0;
}
