"""Tells equal blocks, near ties and other differences apart."""
import statistics

# More than the order of sums makes of a chance.
FAR = 1e-4


def compare(texts, blocks, tie):
    """Prints where drafts differ, and returns whether they do nowhere but in near ties.

    A near tie is a first difference of a block between two tokens whose chances, both by llama.cpp, have
    a ratio below 1 + `tie`.
    """
    rounds = [(text, round) for text, (_, found) in enumerate(texts) for round in found]
    equal = ties = others = drafts = 0
    chances, errors, tokens = [], [], set()
    for (text, round), block in zip(rounds, blocks):
        own, other = round["drafts"], block["drafts"][:len(round["drafts"])]
        drafts += len(own)
        tokens.update(own)
        place = next((index for index, draft in enumerate(own) if other[index:index + 1] != [draft]), len(own))
        judged = block.get("confidences") or [pair[1] for pair in block["chances"]]
        errors += [abs(mine - judged[index]) for index, mine in enumerate(round.get("q", [])[:place])]
        chances += [pair[0] for pair in block["chances"][:place]]
        if place == len(own):
            equal += 1
            continue
        theirs, ours = block["chances"][place] if place < len(other) else (1, 0)
        near = ours * (1 + tie) > theirs
        ties, others = ties + near, others + (not near)
        print(f"  {'near tie' if near else 'difference'}: text {text}, token {round['anchor']}, draft {place + 1}: "
              f"{own[place]} here, {other[place] if place < len(other) else 'none'} there, whose chances there are "
              f"{ours:.6f} and {theirs:.6f}")
    low, middle, high = statistics.quantiles(chances, n=20)[::9] if len(chances) > 1 else [0, 0, 0]
    print(f"  {len(texts)} texts, {len(rounds)} blocks of {drafts} drafts: {equal} blocks equal, {ties} near ties, "
          f"{others} other differences")
    print(f"  {len(tokens)} different tokens drafted; chances {low:.2f}, {middle:.2f}, {high:.2f} at 5, 50 and 95 %")
    kind = "confidences" if any(block.get("confidences") for block in blocks) else "chances"
    far = sum(error > FAR for error in errors)
    print(f"  {kind} here and there are {max([e for e in errors if e <= FAR], default=0):.1g} apart at most"
          + (f", but {far} of {len(errors)} up to {max(errors):.1g}" if far else ""))
    return others == 0


def silenced(texts, others):
    """How many blocks draft otherwise, or are judged otherwise, without a part; and of how many both have."""
    kept = {(text, round["anchor"]): round for text, (_, rounds) in enumerate(texts) for round in rounds}
    drafts = judged = count = 0
    for text, (_, rounds) in enumerate(others):
        for round in rounds:
            full = kept.get((text, round["anchor"]))
            if full is None:
                continue
            count += 1
            length = min(len(full["drafts"]), len(round["drafts"]))
            drafts += full["drafts"][:length] != round["drafts"][:length]
            judged += full.get("q", [])[:length] != round.get("q", [])[:length]
    return drafts, judged, count
