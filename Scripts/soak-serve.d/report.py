"""The page at the end of a run."""

GROWTH = 0.02
LEAST_MINUTES = 4


def report(run):
    options, findings = run.options, run.findings
    lines = [
        f"speculate serve {run.command}",
        f"{options.minutes:g} minutes, {options.clients} clients, seed {options.seed}; "
        f"{len(run.questions)} questions, answered alone in {run.alone_seconds:.0f} s",
        "", f"{findings.texts:,} answers compared with those alone, {findings.tokens:,} tokens",
        *findings.table(), "", "probes"]
    lines += [prober.line() for prober in run.probers]
    lines += ["", *memory(run)]
    if getattr(run, "metrics", None):
        lines += served(run.metrics)
        most = run.probers[1].most
        lines.append("requests at a time, at most: " + ", ".join(
            f"{most.get(name, 0):.0f} {name}" for name in ("running", "waiting", "paused")))
    lines.append(f"SIGTERM under load: exit code {run.exit[0]} after {run.exit[1]:.1f} s, "
                 f"at most {options.drain_timeout + 10:g}")
    lines.append("")
    if not findings.kinds:
        return "\n".join(lines + ["no findings"])
    lines.append(f"findings, in {findings.folder}:")
    lines += [f"  {count:>5} x {kind}" for kind, count in findings.kinds.most_common()]
    lines += [f"  {line[:400]}" for line in findings.lines[:40]]
    return "\n".join(lines)


def memory(run):
    third, last = run.sampler.quarter(2), run.sampler.quarter(3)
    growth = last / third - 1 if third else 0
    if growth > GROWTH and run.options.minutes >= LEAST_MINUTES:
        run.findings.add("memory", f"{100 * growth:.1f} % more in the last quarter than in the third")
    judged = "" if run.options.minutes >= LEAST_MINUTES else f"; not judged under {LEAST_MINUTES} minutes"
    sizes = ", ".join(f"{run.sampler.quarter(number) / 2**20:.0f}" for number in range(4))
    return [f"resident megabytes: {run.before[0] / 2**20:.0f} before, by quarter {sizes}: "
            f"{100 * growth:+.1f} % at the end{judged}"]


def served(figures):
    count = lambda name: f"{figures.get(name, 0):,.0f}"  # noqa: E731
    drafts = max(1, figures.get("spec_decode_num_draft_tokens_total", 0))
    queries = max(1, figures.get("prefix_cache_queries_total", 0))
    return [
        f"the server: {count('generation_tokens_total')} tokens in {count('num_rounds_total')} rounds, "
        f"{count('num_preemptions_total')} sequences gave memory back, "
        f"drafts accepted {100 * figures.get('spec_decode_num_accepted_tokens_total', 0) / drafts:.0f} %, "
        f"prompt tokens cached {100 * figures.get('prefix_cache_hits_total', 0) / queries:.0f} %"]
