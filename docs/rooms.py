"""The pages of the API reference: every public name in its room.

Names are grouped by hand below. A public name that no group has is put into the room of the module it is defined in, so
that none is ever missing; `tests/test_docs.py` reads the pages written here.
"""

from __future__ import annotations

import inspect
import types
from dataclasses import dataclass
from pathlib import Path

import diffusion

__all__ = ["DATA", "ROOMS", "Room", "pages", "public_names", "write"]


@dataclass(frozen=True)
class Room:
    """A page: its file, title, first paragraph, modules whose names belong to it, and groups of names."""

    file: str
    title: str
    text: str
    modules: tuple[str, ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...]


ROOMS = (
    Room(
        "graph", "Graph",
        "A follower graph never changes: methods that set something return a new one that shares the arrays. Labels go in and "
        "come out; content flows along its arcs, from who is followed to who follows.",
        ("diffusion.graph",),
        (
            ("The graph", ("FollowerGraph",)),
            ("Reading edge files", ("read_edges", "read_edge_rows", "EdgeRows")),
            ("Generated graphs", ("generate_platform", "generate_chung_lu", "generate_two_communities",
                                  "generate_watts_strogatz", "generate_ring_lattice")),
            ("Creators", ("with_creator_tiers",)),
            ("Communities and mixing", ("communities", "read_communities", "Partition", "rewire_mixing")),
        ),
    ),
    Room(
        "cascades", "Cascades",
        "A model and seeds on a graph give one cascade, or an ensemble of runs. Run i depends on the key and on i alone, so "
        "any run can be replayed.",
        ("diffusion.cascades",),
        (
            ("Models", ("IC", "LT", "Threshold")),
            ("Simulating", ("simulate", "spread", "compare", "warmup")),
            ("One cascade", ("independent_cascade", "linear_threshold", "threshold_cascade")),
            ("Results", ("Ensemble", "Cascade", "SpreadEstimate", "Estimate", "Comparison")),
            ("Growth", ("growth", "Growth", "reproduction", "Reproduction")),
            ("Shape", ("structural_virality", "cascade_statistics", "tree_statistics")),
            ("Flow between communities", ("community_flow", "CommunityFlow")),
        ),
    ),
    Room(
        "sips", "SIPS",
        "Sympathize, Identify, Participate, Share & Spread: a funnel at every attended exposure, and two channels, follows and "
        "the platform's feed. No published network model of SIPS was found; this one is tied down by the limits on the page "
        "[Validation](../validation.md). Parameters of the survey are priors, never facts.",
        ("diffusion.cascades.sips", "diffusion.cascades.sips_results", "diffusion.cascades.priors"),
        (
            ("The model", ("SIPS", "Funnel", "Feed", "Complex", "Delay")),
            ("Results", ("SIPSEnsemble", "SIPSCascade")),
            ("Priors", ("SURVEY", "NOTES", "priors_table")),
        ),
    ),
    Room(
        "seeding", "Seeding",
        "Which users to start with, for a number of seeds or for money.",
        ("diffusion.seeding",),
        (
            ("Choosing seeds", ("select_seeds", "SeedSelection", "seeding.Certificate", "seeding.Purchase", "seeding.NextBuy")),
            ("With a certificate", ("seeding.OPIM", "seeding.HIST", "seeding.IMM")),
            ("By simulation", ("seeding.CELF", "seeding.Greedy")),
            ("Rankings", ("seeding.Random", "seeding.Tier", "seeding.Degree", "seeding.SingleDiscount",
                          "seeding.DegreeDiscount", "seeding.TwoStepDiscount", "seeding.IRIE", "seeding.PageRank",
                          "seeding.KCore", "seeding.VoteRank", "seeding.CollectiveInfluence", "seeding.CommunityDegree")),
            ("A strategy of one's own", ("seeding.Strategy", "seeding.SelectionProblem", "seeding.choose",
                                         "seeding.strategy_of")),
            ("RR sets", ("sample_rr_sets", "RRSets")),
            ("Comparing strategies", ("compare_strategies", "StrategyComparison")),
            ("Money", ("fit_prices", "PriceFit")),
            ("Quotas and fairness", ("maximin_seeds", "MaximinSelection", "price_of_fairness", "FairnessPrice")),
        ),
    ),
    Room(
        "theory", "Theory",
        "What can be known without simulating. Each function names its source and refuses values outside its range; a window "
        "that does not exist is an empty result.",
        ("diffusion.theory",),
        (
            ("Branching", ("theory.configuration_R", "theory.mean_total_size", "theory.extinction_probability",
                           "theory.doubling_time", "theory.rate_with_delays", "theory.giant_component")),
            ("R of a given graph", ("theory.reproduction_number", "theory.next_generation_radius",
                                    "theory.non_backtracking_radius")),
            ("Exact sizes", ("theory.exact_final_size", "theory.FinalSize", "theory.reed_frost", "theory.path_spread",
                             "theory.star_spread", "theory.cycle_spread", "theory.tree_spread")),
            ("Message passing", ("theory.message_passing", "theory.MessagePassing")),
            ("Percolation", ("theory.percolation", "theory.Percolation", "theory.directed_percolation",
                             "theory.DirectedPercolation", "theory.percolation_threshold", "theory.molloy_reed",
                             "theory.degree_distribution", "theory.poisson_distribution", "theory.g0", "theory.g1")),
            ("Thresholds", ("theory.watts_window", "theory.WattsWindow", "theory.cascade_condition",
                            "theory.gleeson_cahalane", "theory.Adoption")),
            ("Two communities", ("theory.two_communities", "theory.TwoCommunities", "theory.mixing_window",
                                 "theory.minimal_seed_fraction")),
            ("SIPS", ("theory.sips_reproduction_number", "theory.sips_matrix", "theory.sips_block_matrix",
                      "theory.community_arcs", "theory.sips_graph_radius", "theory.sips_mean_total", "theory.feed_intensity")),
        ),
    ),
    Room(
        "study", "Study",
        "Strategies, budgets, models and graphs crossed, run until the intervals are narrow enough, kept on disk, and told on "
        "one page. On the command line: `diffusion study`.",
        ("diffusion.study",),
        (("Studies", ("Study", "StudyResult")),),
    ),
    Room(
        "datasets", "Data sets",
        "The generated default, and public graphs that are fetched on request and checked against a sha256.",
        ("diffusion.datasets",),
        (("Data sets", ("datasets.load", "datasets.cards", "datasets.Card")),),
    ),
    Room(
        "plots", "Plots",
        "Results plot themselves with `.plot(ax=None)`; these are the pieces they use. Every plot takes `ax=` and returns it, "
        "and a band says what interval it is.",
        ("diffusion.plotting",),  # and plotting_sips and its like
        (
            ("Plots", ("plotting.plot_growth",)),
            ("Pieces", ("plotting.style", "plotting.panel", "plotting.band", "plotting.intervals", "plotting.end_labels",
                        "plotting.log_axis", "plotting.figure_to_svg", "plotting.compact", "plotting.strategy_colours",
                        "plotting.strategy_markers", "plotting.text_colour")),
            ("Colours", ("plotting.PALETTE", "plotting.MARKERS", "plotting.INK", "plotting.GREY")),
        ),
    ),
    Room(
        "errors", "Errors",
        "Every error that the package raises on purpose derives from `DiffusionError` and keeps its built-in ancestor. A message "
        "says what was given, what is allowed and what to do.",
        ("diffusion.errors",),
        (
            ("Errors", ("DiffusionError", "errors.InputError", "errors.NotFoundError", "errors.ReadError",
                        "errors.MissingDataError", "errors.OutputError")),
            ("Help with names", ("errors.did_you_mean",)),
        ),
    ),
)  # fmt: skip

#: Values have no docstring of their own: what they are.
DATA = {
    "NOTES": "Kinds of note by name (experience, recommendation, cooperation, official, sponsored): each with p_S, its "
    "standing (prior or assumed) and the reason. `priors_table` shows them as a table.",
    "SURVEY": "Questions of the source's survey by name: how many agreed of how many asked, the parameter each speaks to, "
    "and its Beta posterior. `priors_table` shows them as a table.",
    "plotting.PALETTE": "Colours of series, in order: safe for colour-blind readers.",
    "plotting.MARKERS": "Markers of series, in the order of the colours.",
    "plotting.INK": "Colour of text and axes.",
    "plotting.GREY": "Colour of what stands back.",
}


def public_names() -> list[str]:
    """Return all public names, relative to the package: those of the package and those of its public modules."""
    found = []
    for name in diffusion.__all__:
        value = getattr(diffusion, name)
        if isinstance(value, types.ModuleType):
            found += [f"{name}.{inner}" for inner in value.__all__]
        elif name != "__version__":
            found.append(name)
    return found


def value_of(name: str) -> object:
    """Return what a public name stands for."""
    value: object = diffusion
    for part in name.split("."):
        value = getattr(value, part)
    return value


def pages() -> dict[str, list[tuple[str, list[str]]]]:
    """Return the groups of names of every page, those included that no group above has; a name stands once."""
    names = public_names()
    objects = {name: value_of(name) for name in names}
    grouped = {id(value_of(name)) for room in ROOMS for _, group in room.groups for name in group if name in objects}
    found = {
        room.file: [(title, kept) for title, group in room.groups if (kept := [n for n in group if n in objects])]
        for room in ROOMS
    }
    for name, value in objects.items():
        if id(value) in grouped:
            continue
        grouped.add(id(value))
        where = str(getattr(value, "__module__", None) or f"diffusion.{name.rpartition('.')[0]}")
        fits = [
            (len(m), room.file) for room in ROOMS for m in room.modules if f"{where}.".startswith((f"{m}.", f"{m}_"))
        ]
        if not fits:
            raise LookupError(f"{name} is defined in {where}, which belongs to no room: add it to docs/rooms.py")
        groups = found[max(fits)[1]]
        if groups[-1][0] != "Further":
            groups.append(("Further", []))
        groups[-1][1].append(name)
    return found


def write(folder: Path) -> None:
    """Write one page a room, and the list of rooms; files that would not change are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    found = pages()
    listing = ["# API reference", "", "By convention `import diffusion as dif`.", ""]
    for room in ROOMS:
        _put(folder / f"{room.file}.md", "\n".join(_page(room, found[room.file])))
        listing += [f"[{room.title}]({room.file}.md)", f": {room.text}", ""]
    listing += ["```{toctree}", ":hidden:", "", *(room.file for room in ROOMS), "```", ""]
    _put(folder / "index.md", "\n".join(listing))


def _page(room: Room, groups: list[tuple[str, list[str]]]) -> list[str]:
    lines = [f"# {room.title}", "", room.text, ""]
    for title, names in groups:
        lines += [f"## {title}", ""]
        documented = [name for name in names if name not in DATA]
        if documented:
            lines += ["```{eval-rst}", ".. currentmodule:: diffusion", "", ".. autosummary::", "   :toctree: generated",
                      "   :nosignatures:", "", *(f"   {name}" for name in documented), "```", ""]  # fmt: skip
        for name in names:
            if name in DATA:
                kind = type(value_of(name)).__name__
                lines += ["```{eval-rst}", f".. py:data:: {name}", "   :module: diffusion", f"   :type: {kind}", "",
                          f"   {DATA[name]}", "```", ""]  # fmt: skip
    return lines


def _put(file: Path, text: str) -> None:
    if not file.is_file() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")


def kind_of(name: str) -> str:
    """Return "class", "function" or "data"."""
    value = value_of(name)
    return "class" if inspect.isclass(value) else "function" if callable(value) else "data"


def same_but_for_case() -> list[str]:
    """Return classes whose name differs from that of another public name in nothing but case."""
    names = public_names()
    lower = [name.lower() for name in names]
    return [name for name in names if kind_of(name) == "class" and lower.count(name.lower()) > 1]


def derived_classes() -> list[str]:
    """Return classes with a base worth showing."""
    classes = [name for name in public_names() if kind_of(name) == "class"]
    return [
        f"diffusion.{name}"
        for name in classes
        if any(base is not object and not base.__name__.startswith("_") for base in value_of(name).__bases__)
    ]
