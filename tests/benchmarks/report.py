"""Tables and figure from the numbers in results.json."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import figure

GB = 1e9
Section = dict[str, Any]


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """One markdown table; columns after the first are set to the right."""
    names = list(head)
    lines = [" | ".join(names), " | ".join([":--"] + ["--:"] * (len(names) - 1))]
    lines += [" | ".join(map(str, row)) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def number(value: float) -> str:
    """Three significant digits, with thousands separated."""
    if value == 0 or not math.isfinite(value):
        return str(value)
    digits = max(2 - math.floor(math.log10(abs(value))), 0)
    return f"{value:,.{digits}f}"


def geometric_mean(values: Iterable[float]) -> float:
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs))


def verdict(value: float, target: float, *, least: bool = True, unit: str = "") -> str:
    """Is the target met, and if not by how much is it missed?"""
    met = value >= target if least else value <= target
    side = "at least" if least else "at most"
    gap = "met" if met else f"missed by {abs(value / target - 1):.0%}"
    return f"target {side} {target:g}{unit}: **{gap}**"


def size(bytes_: float) -> str:
    return f"{bytes_ / GB:.2f} GB" if bytes_ >= 1e8 else f"{bytes_ / 1e6:.1f} MB"


# -- against peers -----------------------------------------------------------------------------------------------------


def _peer_rows(rows: list[Section]) -> str:
    lines = []
    for r in rows:
        what = f"{r['model'].upper()} {r['graph']} {r['rule']}"
        if "missing" in r:
            lines.append([what, r["peer_name"], f"*{r['missing']}*", *[""] * 5])
            continue
        means = f"{r['mean_ours']:,.1f} / {r['mean_peer']:,.1f}"
        agree = (
            f"{r['standard_errors']:.1f} SE"
            if r["means_agree"]
            else f"**means differ** ({r['standard_errors']:.1f} SE)"
        )
        lines.append([
            what, f"{r['peer_name']} {r['version']}", number(r["ours"]), number(r["peer"]),
            f"**{number(r['ratio'])}**", f"{number(r['ratio_low'])} to {number(r['ratio_high'])}", means, agree,
        ])  # fmt: skip
    head = ("case", "peer", "runs/s", "peer's runs/s", "ratio", "range", "mean spread, ours / peer", "means")
    return table(head, lines)


def _measured(rows: list[Section]) -> list[Section]:
    return [row for row in rows if "missing" not in row]


def ic(found: Section) -> str:
    rows = found["rows"]
    text = _peer_rows(rows)
    done = _measured(rows)
    if done:
        mean, low = geometric_mean(r["ratio"] for r in done), min(r["ratio"] for r in done)
        text += (
            f"\n\nGeometric mean of {len(done)} cases **{mean:.1f}**, {verdict(mean, 20)}; lowest {low:.1f}, "
            f"{verdict(low, 12)}."
        )
    return text


def others(found: Section) -> str:
    return _peer_rows(found["rows"])


def lt(found: Section) -> str:
    done = _measured(found["rows"])
    low = min((r["ratio"] for r in done), default=float("nan"))
    return _peer_rows(found["rows"]) + (f"\n\nLowest ratio {low:.1f}, {verdict(low, 40)}." if done else "")


SHARED_MEMORY = (
    "Runs share nothing but the graph, and each thread has rows of its own: where rows lie in the cache the second core counts "
    "in full. Where they do not (a million nodes: 128 MB of rows a thread), both cores wait for one memory and one last-level "
    "cache. Tried: rows aligned to cache lines, seen and pending side by side, prefetch of 64 rows at a time. Not tried: "
    "both threads on one batch with half the rows each, so that one set of rows is shared."
)


def threads(found: Section) -> str:
    lines = [
        [
            r["case"], number(r["one"]), number(r["two"]), f"**{r['ratio']:.2f}**",
            f"{r['ratio_low']:.2f} to {r['ratio_high']:.2f}", "yes" if r["same"] else "**NO**",
        ]
        for r in found["rows"]
    ]  # fmt: skip
    low = min(r["ratio"] for r in found["rows"])
    head = ("case", "per second, 1 thread", "2 threads", "ratio", "range", "equal bit for bit")
    text = table(head, lines) + f"\n\nRuns or RR sets per second. Lowest ratio {low:.2f}, {verdict(low, 1.8)}."
    return text if low >= 1.8 else text + " " + SHARED_MEMORY


def executor(found: Section) -> str:
    lines, shares, same = [], [], True
    for r in found["rows"]:
        for kind, who in (("processes", "ProcessPoolExecutor"), ("dask", "Dask, LocalCluster")):
            if f"{kind}_2" not in r:
                lines.append([r["work"], who, number(r["thread"]), r.get(f"{kind}_missing", ""), "", "", "", ""])
                continue
            one, two = r[f"{kind}_1"], r[f"{kind}_2"]
            shares.append(one / (2.0 * two))
            same = same and r[f"{kind}_same"]
            lines.append(
                [
                    r["work"], who, number(r["thread"]), number(one), number(two), f"**{shares[-1]:.2f}**",
                    f"{r['thread'] / (2.0 * two):.2f}", "yes" if r[f"{kind}_same"] else "**NO**",
                ]
            )  # fmt: skip
    head = ("work", "executor", "one thread here, s", "1 worker, s", "2 workers, s", "efficiency")
    text = table((*head, "against the thread", "equal bit for bit"), lines)
    return (
        f"{text}\n\nEfficiency: seconds of one worker over twice the seconds of two. Seeds: the sets are sampled on the workers, which "
        f"takes less time than to send them here, and the greedy search among them goes on here, alone: an executor pays for runs and studies. Lowest {min(shares):.2f}, {verdict(min(shares), 0.9)}."
    )


def sips(found: Section) -> str:
    lines = [
        [
            r["case"], r["model"], number(r["reach"]), number(r["exposures"]), f"{r['ns']:.1f}", f"{r['ic_ns']:.1f}",
            f"**{r['ratio']:.2f}**", "512 runs at once" if r["lanes"] else "one run at a time",
        ]
        for r in found["rows"]
    ]  # fmt: skip
    kinds = {"with a feed": [], "with complex identification": [], "with neither": []}
    for r in found["rows"]:
        kind = (
            "with a feed"
            if "feed" in r["model"]
            else "with complex identification"
            if "complex" in r["model"]
            else "with neither"
        )
        kinds[kind].append(r["ratio"])
    targets = {"with a feed": 2, "with complex identification": 4, "with neither": 3}
    judged = "; ".join(
        f"{kind} {max(kinds[kind]):.2f}, {verdict(max(kinds[kind]), most, least=False)}"
        for kind, most in targets.items()
    )
    head = ("graph, IC beside it", "SIPS", "reach", "exposures a run", "ns each", "IC, ns each", "ratio", "kernel")
    return (
        table(head, lines)
        + f"\n\nSeconds over attended exposures (repeats included), medians, one thread. Largest ratio {judged}. What the feed "
        "shows is drawn for every run and sharer: a Poisson number, and a user each. Its exposures are collected by blocks of users "
        "and become rows of lanes, which the funnel serves at once. With a gain every exposure's stage is needed before the next "
        "user: it comes from a table of 4 bits for each user and run, made once the feed has shown enough; what remains is one "
        "look into it for each exposure (where the independent cascade serves many runs with one visit), and a score for each "
        "sharer and run. Complex identification counts distinct sharers in bit-sliced counters."
    )


# -- data and start ----------------------------------------------------------------------------------------------------


def _parts(parts: dict[str, int], arcs: int) -> str:
    total = sum(parts.values())
    return (
        " + ".join(f"{name} {size(b)}" for name, b in parts.items())
        + f" = {size(total)}, {total / arcs:.1f} bytes an arc"
    )


def data(found: Section) -> str:
    read = found["read"]
    full = found["rows"] >= 15_000_000  # the targets are for that size
    opens = sorted(r["open"] for r in found["load"])
    touches = sorted(r["touch"] for r in found["load"])
    ready = read["peak"] / sum(read["all_parts"].values())
    lines = [[
        f"text file, {size(found['text_bytes'])}", f"{read['seconds']:.2f}", size(read["peak"]), f"{read['peak_ratio']:.2f}",
        f"{verdict(read['seconds'], 10, least=False, unit=' s')}, peak {ready:.2f} x the ready graph, "
        f"{verdict(ready, 2.5, least=False, unit=' x')}" if full else "",
    ]]  # fmt: skip
    for dtype in ("str", "object"):
        row = found.get(f"pandas_{dtype}")
        if row:
            goal = verdict(row["seconds"], 20, least=False, unit=" s") if full else ""
            name = f"from_pandas, text labels ({row['dtype']})"
            lines.append([name, f"{row['seconds']:.2f}", size(row["peak"]), f"{row['peak_ratio']:.2f}", goal])
    at = len(opens) // 2
    goal = verdict(opens[at], 0.2, least=False, unit=" s") if full else ""
    lines.append(["load, memory-mapped: open", f"{opens[at]:.4f}", "", "", goal])
    lines.append(["load: read every arc and probability once", f"{touches[at]:.3f}", "", "", ""])
    lines.append(["save", f"{read['save_seconds']:.2f}", "", "", f"file of {size(read['saved_bytes'])}"])
    lines.append(["weighted-cascade probabilities", f"{read['probabilities_seconds']:.2f}", "", "", ""])
    lines.append(["arcs grouped by target", f"{read['into_seconds']:.2f}", "", "", ""])
    head = ("step", "seconds", "peak above the start", "peak / graph", "")
    return (
        f"{read['arcs']:,} distinct rows in random order among {read['nodes']:,} nodes.\n\n"
        + table(head, lines)
        + "\n\nThe peak is the resident memory of a fresh process above what it had after imports, compiling and reading "
        f"three rows. The bare graph it is divided by: {_parts(read['parts'], read['arcs'])}. The ready graph, with "
        f"probabilities and the arcs grouped by target as seeding needs them: {_parts(read['all_parts'], read['arcs'])}."
    )


def start(found: Section) -> str:
    heavy = ", ".join(found["heavy"]) or "none"
    lines = [
        ["`import diffusion`", f"{found['import']:.3f} s", verdict(found["import"], 0.3, least=False, unit=" s")],
        [f"modules loaded by it: {found['modules']}; of the heavy ones", heavy, ""],
        ["first graph in a new process (imports numba, pandas)", f"{found['graph']:.2f} s", ""],
        ["first `simulate`, kernels in the cache", f"{found['call']:.2f} s", verdict(found["call"], 1, least=False, unit=" s")],
        ["both, with the import", f"{found['all']:.2f} s", ""],
        ["`dif.warmup()`, empty cache (once a machine)", f"{found['cold']:.1f} s", ""],
        ["`dif.warmup()`, filled cache", f"{found['warm']:.2f} s", ""],
    ]  # fmt: skip
    return table(("", "measured", ""), lines)


# -- scale -------------------------------------------------------------------------------------------------------------


def scale(found: Section) -> str:
    rows = found["rows"]
    seeded = any("seed" in r["seconds"] for r in rows)
    lines = []
    for r in rows:
        s, p = r["seconds"], r["peaks"]
        lines.append([
            f"{r['nodes']:,} / {r['arcs']:,}", f"{s['generate']:.1f}", f"{s['build']:.1f}", f"{r['simulate_seconds']:.3f}",
            f"{r['visits'] / 1e6:.2f}", f"**{r['ns_visit']:.1f}**", size(p["build"]), size(p["simulate"]),
            *([f"{s['seed']:.2f}", size(p["seed"])] if "seed" in s else [""] * 2 if seeded else []),
        ])  # fmt: skip
    head = [
        "nodes / arcs", "generate, s", "build, s", "512 runs, s", "visits, M", "ns a visit", "peak: build", "peak: runs",
        *(["50 seeds, s", "peak: seeds"] if seeded else []),
    ]  # fmt: skip
    costs = [r["ns_visit"] for r in rows]
    largest = max(max(r["peaks"].values()) for r in rows)
    text = table(head, lines) + (
        "\n\nWeighted cascade from the 50 creators with most followers, one thread, 512 runs in one batch: a visit looks at "
        "an arc for all of them. Peaks are of the whole process, Python and imports included. Cost of a visit from "
        f"smallest to largest graph x {max(costs) / min(costs):.2f}, {verdict(max(costs) / min(costs), 2, least=False)}; "
        f"largest peak {size(largest)}, {verdict(largest / 2**30, 24, least=False, unit=' GiB')}."
    )
    return text + "\n\n" + _twitter(found["twitter"], rows[-1])


def _twitter(t: Section, row: Section) -> str:
    nodes, arcs = t["nodes"], t["arcs"]
    lines = [
        ["arcs: target and probability", f"{arcs:,} x {t['per_arc']:.0f} bytes", size(arcs * t["per_arc"])],
        ["nodes: labels, order, rows, degrees, counts", f"{nodes:,} x {t['per_node']:.0f} bytes", size(nodes * t["per_node"])],
        *([f"state of {64 * int(words)} runs at once, one thread", f"{nodes:,} x {b / nodes:.0f} bytes", size(b)]
          for words, b in t["state"].items()),
        ["**512 runs, one thread**", "", f"**{size(t['graph'] + t['state']['8'])}**"],
        ["64 runs at a time, one thread", "", size(t["graph"] + t["state"]["1"])],
        *([["building it (peak measured)", f"{arcs:,} x {row['peaks']['build'] / row['arcs']:.0f} bytes", size(t["build"])]]
          if row["arcs"] > 1e7 else []),
    ]  # fmt: skip
    return (
        f"**{t['name']}** ({nodes:,} nodes, {arcs:,} arcs) would need, reckoned from the bytes counted on the graph of "
        f"{row['arcs']:,} arcs and, for building, from the peak measured there:\n\n" + table(("", "", "memory"), lines)
    )


def around(found: Section) -> str:
    text, slow, limit = "", [], found["limit"]
    for row in found["rows"]:
        lines = [[t["task"], f"{t['cpu']:.1f}", f"{t['seconds']:.1f}", size(t["peak"])] for t in row["tasks"]]
        text += f"{row['nodes']:,} nodes, {row['arcs']:,} arcs:\n\n"
        text += table(("task", "CPU, s", "seconds", "peak"), lines) + "\n\n"
        slow += [t["cpu"] for t in row["tasks"]]
    return text + (
        "One thread, after a call on a small graph that imports and compiles; 50 seeds; the peak is that of the process with "
        f"the graph. Slowest {max(slow):.0f} s of CPU, {verdict(max(slow), limit, least=False, unit=' s')}."
    )


# -- seeding -----------------------------------------------------------------------------------------------------------


def seeding(found: Section) -> str:
    if "missing" in found:
        return f"*Left out: {found['missing']}.*"
    lines = []
    for r in found["rows"]:
        if "missing" in r:
            lines.append([r["graph"], r.get("who", ""), f"*{r['missing']}*", *[""] * 7])
            continue
        mine = r["who"] == "this package"
        lines.append([
            f"{r['graph']}", f"{r['who']}, {r['method']}", f"{r['model'].upper()} {r['rule']}", f"{r['eps']:g}",
            f"**{r['seconds']:.3f}**", f"{r['spread']:,.1f} ± {r['spread_se']:.1f}", f"{r['ratio']:.3f}" if mine else "",
            f"{r['rr_sets']:,}" if mine else "", f"{r['rr_size']:.1f}" if mine else "", size(r["peak"]) if mine else "",
        ])  # fmt: skip
    head = (
        "graph", "who, method", "model", "eps", "seconds", "spread ± SE", "lower / upper", "RR sets", "mean size", "memory",
    )  # fmt: skip
    text = table(head, lines) + (
        "\n\nk = 50, one thread, time of the algorithm (median), graph prepared. All seeds were scored by one evaluator: "
        "`spread` with its own worlds. Equal eps is not equal work, nor equal seeds:"
    )
    if "equal" not in found:  # measured before there was such a table
        return text
    return text + "\n\n" + _equal_quality(found["equal"])


#: SUBSIM at equal quality, measured once: graph and level -> its least seconds over ours, both in that run; None: not reached.
SUBSIM_ONCE: dict[tuple[str, float], float | None] = {
    ("NetHEPT", 0.01): None, ("NetHEPT", 0.005): None, ("Epinions", 0.01): 2.1, ("Epinions", 0.005): None,
    ("DBLP", 0.01): None, ("DBLP", 0.005): None,
}  # fmt: skip
SUBSIM_DATE = "2026-11-30"


def _equal_quality(rows: list[Section]) -> str:
    lines = []
    for r in rows:
        for at in r["levels"]:
            level, reached = at["level"], at["reached"]
            ours = reached.get("this package")
            line = [r["graph"], f"{r['best']:,.0f}", f"{level:.1%}", _reached(ours, r, "this package")]
            for who in ("SUBSIM", "PyNetIM"):
                if who not in r["missing"]:
                    times = f", {reached[who]['seconds'] / ours['seconds']:.1f}x" if who in reached and ours else ""
                    line.append(_reached(reached.get(who), r, who) + times)
                elif who == "SUBSIM" and (r["graph"], level) in SUBSIM_ONCE:
                    once = SUBSIM_ONCE[r["graph"], level]
                    line.append("*absent; once not reached*" if once is None else f"*absent; once {once:.1f}x*")
                else:
                    line.append("*absent*")
            lines.append(line)
    return table(("graph", "best known spread", "within", "this package, s", "SUBSIM, s", "PyNetIM, s"), lines) + (
        "\n\nProcessor seconds until the seeds are so near to the best known spread (the largest of all here and of 16 million "
        "RR sets), k = 50, weighted cascade, the least over the settings of each method (in brackets), medians of three. "
        "SUBSIM (C++) is not in the package index: it is measured where the environment variable SUBSIM holds its path; "
        "there, its seconds are those it prints. Elsewhere its times relative to ours are those of a program rewritten after "
        f"its published source, with another generator (xoshiro256+) and the processor clock, on {SUBSIM_DATE}; for DBLP the best "
        "known spread was then from 1 million RR sets and 256 runs."
    )


def _reached(found: Section | None, row: Section, who: str) -> str:
    if found is None:
        return f"never: {1 - row['most'][who] / row['best']:.1%} below"
    return f"{found['seconds']:.3f} ({found['setting']})"


# -- learning from logs ------------------------------------------------------------------------------------------------


def inference(found: Section) -> str:
    done = _measured(found["rows"])
    ours = next(r for r in done if r["who"] == "this package")
    lines = []
    for r in found["rows"]:
        if "missing" in r:
            lines.append([f"{r['who']}, {r['what']}", f"*{r['missing']}*", "", ""])
            continue
        name = " ".join(filter(None, [r["who"], r.get("version")]))
        lines.append(
            [f"{name}, {r['what']}", f"{r['seconds']:.3f}", f"{r['error']:.4f}", number(r["seconds"] / ours["seconds"])]
        )
    head = ("who, what", "seconds", "mean absolute error", "times ours")
    return table(head, lines) + (
        f"\n\n{found['nodes']:,} nodes, {found['arcs']:,} arcs, {found['items']:,} traces with {found['adoptions']:,} adoptions, "
        "weights drawn evenly from the simplex of each node. Ours is the whole call of `fit_probabilities` with "
        '`LTWeights(window=1, background="none")`, from an `ActionLog`, whose making from a table takes '
        f"{found['build']:.3f} s; the peer's is `fit` from its traces. Both maximise the same likelihood where nothing is shrunk. "
        f"Time {verdict(ours['seconds'], 0.07, least=False, unit=' s')}; error {verdict(ours['error'], 0.02, least=False)}.\n\n"
        + _learning_at_scale(found["scale"])
    )


def _learning_at_scale(rows: list[Section]) -> str:
    head = ("adoptions", "arcs", "contacts", "log from arrays, s", "EM, s", "peak GB")
    lines = [
        [
            *(f"{r[k]:,}" for k in ("adoptions", "arcs", "contacts")),
            f"{r['build']:.1f}",
            f"{r['fit']:.1f}",
            f"{r['peak'] / 1e9:.2f}",
        ]
        for r in rows
    ]
    last = rows[-1]
    return table(head, lines) + (
        "\n\n`fit_probabilities` with its defaults (independent cascade with a background, shrunk) on a random graph with a heavy "
        f"tail, all threads; half of the adoptions follow one by a followed user. Log and fit of the largest "
        f"{verdict(last['build'] + last['fit'], 60, least=False, unit=' s')}."
    )


# -- roofline ----------------------------------------------------------------------------------------------------------


def roofline(found: Section) -> str:
    limits = found["limits"]
    lines = [
        [
            f"{r['graph']} {r['rule']}", f"{r['visits'] / 1e6:.2f}", f"{r['few']:.0%}", f"{r['live']:.0%}", f"{r['added']:.0%}",
            f"{r['stream']:.1f}", f"{r['coins']:.1f}", f"{r['rows']:.1f}", f"{r['floor']:.1f}", f"**{r['ns']:.1f}**",
            f"{r['ns'] / r['floor']:.2f}",
        ]
        for r in found["rows"]
    ]  # fmt: skip
    head = (
        "512 runs of IC", "visits, M", "few lanes", "live", "add", "stream, ns", "coins, ns", "rows, ns", "sum, ns",
        "measured, ns", "measured / sum",
    )  # fmt: skip
    random = ", ".join(f"{ns:.1f} ns among {int(n):,} nodes" for n, ns in limits["row_ns"].items())
    hot = [r for r in found["rows"] if r["rule"] == found["rows"][0]["rule"]]
    share = {
        what: sum(r[what] for r in found["rows"]) / sum(r["floor"] for r in found["rows"])
        for what in ("stream", "coins", "rows")
    }
    costs = sorted(r["coin_ns"] for r in found["rows"])
    coins = f"{costs[0]:.1f} to {costs[-1]:.1f} ns (by probability)"
    most = max(share, key=lambda what: share[what])
    return (
        table(head, lines)
        + f"""

One arc visit serves up to 512 runs. It reads 8 bytes in order (target and probability), flips 512 coins in registers, and,
if one comes up in an active lane, touches one row of the target at random: 128 bytes, two cache lines side by side. What
this machine does, one thread:

- It reads in order at {limits["stream_gb"]:.1f} GB/s: {8 / limits["stream_gb"]:.1f} ns for the 8 bytes of a visit.
- It reads and writes such a row, at random and without waiting for the one before, in {random}. In the order of real arcs,
  where hubs come often and stay in the cache, that is {", ".join(f"{r['row_ns']:.1f} ns on {r['graph']}" for r in hot)}.
  A cache line that is waited for takes {limits["latency_ns"]:.0f} ns.
- It flips the coins of a full row in {coins}, and four bits of one lane's coin in
  {max(r["few_ns"] for r in found["rows"]):.1f} ns: the path taken where at most four lanes are active ("few lanes").

"live": visits with a coin that came up, so that a row is touched; "add": those that activate somebody. The sum adds the
three costs as if nothing overlapped. Of it, coins are {share["coins"]:.0%}, rows {share["rows"]:.0%} and the stream
{share["stream"]:.0%}: look at the {most} first. A measured cost above the sum is bookkeeping (taking rows off the queue,
counting lanes at every step, clearing up); one below it is work that overlaps, or rows with fewer active lanes, whose coins
are settled sooner.

A sampled profile of S wc, with the frontier's rows and arcs prefetched: coins of full rows a third of the time, rows with
few lanes a sixth, applying activations to rows a tenth, reference counts a thirtieth; the rest is taking up rows, which
have 8 arcs on average. Before, waiting for the pending row, the place and the first arcs of the next row took over a third.
Tried without gain: drawing arcs of a full row without a branch that depends on a coin (0.98 of the speed); more lanes drawn
one by one, 6 (0.95) or 8 (0.95); prefetch of node counts before clearing (1.00).
"""
    )


# -- epidemics, contacts, rivals, topics -------------------------------------------------------------------------------


def families(found: Section) -> str:
    by = {(r["what"], r["start"]): r for r in found["sir"]}
    lines = [[r["what"], r["start"], f"{1e3 * r['seconds']:.3f}", f"{r['ratio']:.2f}"] for r in found["sir"]]
    text = table(("SIR: who", "from", "ms an outbreak", "times SIR"), lines)
    eon, c = by.get(("EoN", "a random node")), by.get(("C", "a random node"))
    text += "\n\nBarabasi-Albert graph of 10,000 nodes, m = 3, transmission .3, recovery 1, one thread, processor time."
    if eon:
        text += f" EoN takes {eon['ratio']:.0f} times as long as SIR ({verdict(eon['ratio'], 100)})."
    if c:
        text += f" SIR takes {1 / c['ratio']:.2f} of the C program ({verdict(1 / c['ratio'], 1.5, least=False)})."
    for start in ("a random node", "one hub"):
        faster = 1 / by["OutbreakSize", start]["ratio"]
        text += f" Sizes alone from {start} are {faster:.1f} times faster ({verdict(faster, 10)})."
    if found["temporal"]:
        lines = [
            [r["what"], f"{r['beta']:g}, {r['nu']:g}", f"{1e6 * r['seconds']:.2f}", f"{r['ratio']:.2f}"]
            for r in found["temporal"]
        ]
        head = ("contacts: who", "transmission, recoveries a day", "us an outbreak", "times ours")
        text += "\n\n" + table(head, lines)
        text += "\n\nContacts of an exhibition (200 visitors, 5,943 contacts), random node and time, ten steps; target 2 times tsir."
    lines = [[r["what"], r["rule"], f"{1e9 * r['seconds']:.0f}", f"{r['ratio']:.2f}"] for r in found["arcs"]]
    text += "\n\n" + table(("rivals and topics", "probabilities", "ns an arc visit", "times IC"), lines)
    text += "\n\nTarget: rivals within 3 times IC, topics as fast as IC. 50 seeds, 512 runs, one thread."
    lines = [[r["what"], f"{r['ratio']:.2f}"] for r in found["second core"]]
    return text + "\n\n" + table(("second core", "times faster"), lines)


TITLES: dict[str, tuple[str, Callable[[Section], str]]] = {
    "ic": ("Independent cascade against CyNetDiff, one thread", ic),
    "others": ("All peers, on a graph small enough for the slowest, one thread", others),
    "lt": ("Linear threshold with weights 1 / in-degree against CyNetDiff, one thread", lt),
    "sips": ("SIPS against the independent cascade at the same number of exposures", sips),
    "threads": ("The second core", threads),
    "executor": ("Worker processes", executor),
    "data": ("Getting data in", data),
    "start": ("Start-up", start),
    "scale": ("Scale", scale),
    "around": ("Around the kernels", around),
    "seeding": ("Influence maximisation", seeding),
    "inference": ("Learning linear-threshold weights from traces, one thread", inference),
    "families": ("Epidemics, contacts, rivals and topics", families),
    "roofline": ("Where the time goes", roofline),
}


def _head(results: Section) -> str:
    about = max((r["about"] for r in results.values()), key=lambda a: a["date"])
    versions = ", ".join(f"{name} {v or 'not installed'}" for name, v in about["versions"].items())
    quick = any(r["quick"] for r in results.values())
    lines = [
        "# Benchmarks",
        "",
        f"Made by `python tests/benchmarks/run.py{' --quick' if quick else ''}` (`make bench`). Last measured {about['date']}.",
        "",
        f"- Machine: {about['cpu']}, {about['cpus']} CPUs, {about['caches']}, {about['memory'] / 2**30:.0f} GiB, "
        f"{about['system']}",
        f"- Versions: Python {about['python']}, {versions}",
        "- Ours and the peer alternate in one process that is pinned to one CPU; ratios are medians over the repeats of the "
        "time of a peer's run over the time of ours, with their range. The peer gets the same arcs in the same order in "
        "memory. Mean spreads are compared: further apart than 4 standard errors is marked.",
        "- Graphs: directed Chung-Lu with heavy-tailed followers. XS 10k nodes / 0.1M arcs, S 100k / 0.95M, M 1M / 14.5M; "
        "seeds are the 50 nodes with most followers. wc: weighted cascade, p = 1 / in-degree.",
    ]
    if quick:
        lines.append("- **Quick mode**: small graphs and few repeats; the targets are for the full run.")
    return "\n".join(lines)


def write(results: Section, out: Path) -> str:
    """Write the tables to `out` and the figure beside it; return the text."""
    parts = [_head(results)]
    drawn = out.with_suffix(".svg")
    if figure.draw(results, drawn):
        parts.append(f"![Runs per second by package]({drawn.name})")
    for name, (title, render) in TITLES.items():
        if name not in results:
            continue
        section = results[name]
        about = section["about"]
        if "failed" in section["found"]:
            text = f"*This section failed: {section['found']['failed']}.*"
        else:
            text = render(section["found"])
        foot = (
            f"<sub>`--only {name}`: {about['date']}, commit {about['commit']}, load at the start {about['load']}, "
            f"{section['took']:.0f} s</sub>"
        )
        parts.append(f"## {title}\n\n{text.strip()}\n\n{foot}")
    text = "\n\n".join(parts) + "\n"
    out.write_text(text, encoding="utf-8")
    return text
