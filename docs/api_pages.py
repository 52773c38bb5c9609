"""The pages of the API reference: one page a module of the package, with every public name on it.

Names are grouped by hand below. A public name that no group has goes to the page of the module it is defined in, so
that none is ever missing; `tests/test_docs.py` reads the pages written here.
"""

from __future__ import annotations

import inspect
import types
from dataclasses import dataclass
from pathlib import Path

import diffusion

__all__ = ["DATA", "PAGES", "Page", "pages", "public_names", "write"]


@dataclass(frozen=True)
class Page:
    """A page: its file, title, first paragraph, modules whose names belong to it, and groups of names.

    A group is a title and its names, separated by spaces.
    """

    file: str
    title: str
    text: str
    modules: tuple[str, ...]
    groups: dict[str, str]


PAGES = (
    Page(
        "graph",
        "Graph",
        "A follower graph never changes: methods that set something return a new one that shares the arrays. Labels go in "
        "and come out; content flows along its arcs, from who is followed to who follows. `graph.csr` holds the arcs as "
        "arrays of internal ids, `graph.index` translates labels, `graph.edge_data` gives columns of the arcs.",
        ("diffusion.graph",),
        {
            "The graph": "FollowerGraph graph.TemporalGraph",
            "Reading edge files": "read_edges graph.read_edge_rows graph.EdgeRows",
            "Generated graphs": "generate_platform graph.generate_chung_lu graph.generate_two_communities "
            "graph.generate_watts_strogatz graph.generate_ring_lattice",
            "Creators": "graph.with_creator_tiers",
            "Topics": "graph.TopicProbabilities graph.generate_interests",
            "Communities and mixing": "communities graph.read_communities graph.Partition rewire_mixing",
        },
    ),
    Page(
        "models",
        "Models",
        "A model is a small frozen object that holds parameters and answers what the package asks of it; `models.MODELS` "
        "has those that have a name. [Adding a model](../models.md) shows how to write one. SIPS (Sympathize, Identify, "
        "Participate, Share & Spread) is this package's own network model: a funnel at every attended exposure, and two "
        "channels, follows and the platform's feed. No published network model of SIPS was known to check it against; it "
        "is held by the limits on the page [Validation](../validation.md). Parameters from the survey are priors, never "
        "facts.",
        ("diffusion.models",),
        {
            "Models": "IC LT Threshold SIPS",
            "In continuous time": "models.CTIC models.ICM models.timed_sampler",
            "Epidemics and rumours": "models.SIR models.SEIR models.SIS models.SIRS models.Rumour models.OutbreakSize "
            "models.EpidemicEnsemble",
            "Contacts and follows in time": "models.TemporalSIR models.TemporalIC",
            "Rivals": "models.CompetitiveIC models.CompetitiveLT models.ComIC models.ICN models.CompetitiveEnsemble "
            "models.CompetitiveCascade",
            "Topics": "models.TopicIC models.TopicLT",
            "Parts of SIPS": "models.Funnel models.Feed models.Complex models.Delay",
            "Results of SIPS": "models.SIPSEnsemble models.SIPSCascade",
            "Priors of SIPS": "models.SURVEY models.NOTES models.ENGAGEMENT models.engagement_eta models.priors_table",
            "The registry": "models.MODELS models.model_of",
            "Waiting times": "models.WaitingTime models.Exponential models.Gamma models.Weibull models.LogNormal "
            "models.Fixed models.Geometric",
            "What a model answers": "models.DiffusionModel models.LiveEdges models.RatedArcs models.NextGeneration",
            "What runs a model": "models.Program models.Start models.Workspace models.Chunk models.Trace",
        },
    ),
    Page(
        "simulation",
        "Simulation",
        "A model and seeds on a graph give one cascade, or an ensemble of runs. Run i depends on the key and on i alone, so "
        "any run can be replayed.",
        ("diffusion.simulation",),
        {
            "Simulating": "simulate spread compare warmup",
            "One cascade": "simulate_one independent_cascade linear_threshold threshold_cascade",
            "Growth": "growth simulation.Growth simulation.reproduction simulation.Reproduction simulation.forecast",
            "Critical seed mass": "simulation.ignition simulation.Ignition",
            "Shape": "structural_virality simulation.cascade_statistics simulation.tree_statistics",
            "Flow between communities": "simulation.community_flow simulation.CommunityFlow",
            "The runner": "simulation.prepare simulation.Runner simulation.Runs",
        },
    ),
    Page(
        "results",
        "Results",
        "What simulations return: frozen objects with `.to_pandas()`, `.plot(ax=None)` and `.provenance`.",
        ("diffusion.results",),
        {
            "Many runs": "results.Ensemble",
            "One run": "results.Cascade",
            "Estimates": "results.SpreadEstimate results.Estimate results.Comparison",
        },
    ),
    Page(
        "seeding",
        "Seeding",
        "Which users to start with, for a number of seeds or for money.",
        ("diffusion.seeding",),
        {
            "Selecting seeds": "select_seeds seeding.SeedSelection seeding.Certificate seeding.Purchase seeding.NextBuy",
            "With a certificate": "seeding.OPIM seeding.HIST seeding.IMM",
            "By simulation": "seeding.CELF seeding.Greedy",
            "Rankings": "seeding.Random seeding.Tier seeding.Degree seeding.SingleDiscount seeding.DegreeDiscount "
            "seeding.TwoStepDiscount seeding.IRIE seeding.PageRank seeding.KCore seeding.VoteRank "
            "seeding.CollectiveInfluence seeding.CommunityDegree",
            "Strategies of your own": "seeding.Strategy seeding.SelectionProblem seeding.choose seeding.strategy_of",
            "RR sets": "seeding.sample_rr_sets seeding.RRSets",
            "Comparing strategies": "compare_strategies seeding.StrategyComparison",
            "Against rivals": "seeding.best_response seeding.BestResponse",
            "Money": "seeding.budget_curve seeding.BudgetCurve seeding.min_budget seeding.MinBudget seeding.price_sensitivity "
            "seeding.PriceSensitivity seeding.substitutes seeding.Substitutes seeding.fit_prices seeding.PriceFit",
            "In waves": "seeding.adaptive_seeds seeding.AdaptiveSeeding",
            "Quotas and fairness": "seeding.maximin_seeds seeding.MaximinSelection "
            "seeding.price_of_fairness seeding.FairnessPrice",
        },
    ),
    Page(
        "theory",
        "Theory",
        "What can be known without simulating. Each function names its source and refuses values outside its range; a window "
        "that does not exist is an empty result.",
        ("diffusion.theory",),
        {
            "Branching": "theory.configuration_R theory.mean_total_size theory.extinction_probability "
            "theory.doubling_time theory.rate_with_delays theory.giant_component",
            "R of a graph": "theory.reproduction_number theory.next_generation_radius theory.non_backtracking_radius "
            "theory.critical_value theory.CriticalValue",
            "Exact sizes": "theory.exact_final_size theory.FinalSize theory.reed_frost theory.path_spread "
            "theory.star_spread theory.cycle_spread theory.tree_spread",
            "Message passing": "theory.message_passing theory.MessagePassing",
            "Percolation": "theory.percolation theory.Percolation theory.directed_percolation "
            "theory.DirectedPercolation theory.percolation_threshold theory.molloy_reed theory.degree_distribution "
            "theory.poisson_distribution theory.g0 theory.g1",
            "Thresholds": "theory.watts_window theory.WattsWindow theory.cascade_condition theory.gleeson_cahalane "
            "theory.Adoption",
            "Two communities": "theory.two_communities theory.TwoCommunities theory.mixing_window "
            "theory.minimal_seed_fraction",
            "SIPS": "theory.sips_reproduction_number theory.sips_matrix theory.sips_block_matrix theory.community_arcs "
            "theory.sips_graph_radius theory.sips_mean_total theory.feed_intensity",
        },
    ),
    Page(
        "inference",
        "Inference",
        "What logs of adoptions and counts of engagement teach: probabilities of arcs, scores on held-out adoptions, whether a "
        "model reproduces what was seen, the funnel and the feed of SIPS.",
        ("diffusion.inference",),
        {
            "Logs": "inference.ActionLog inference.read_actions inference.read_cascades inference.simulate_log "
            "inference.observed_parents inference.co_occurrence_graph",
            "Learning probabilities": "inference.fit_probabilities inference.FittedProbabilities",
            "Methods": "inference.EM inference.Bernoulli inference.Jaccard inference.PartialCredit inference.LTWeights "
            "inference.NetRate inference.FitMethod inference.METHODS inference.BetaPrior",
            "Scores": "inference.compare_fits inference.FitComparison",
            "Does the model reproduce what was seen?": "inference.predictive_check inference.PredictiveCheck "
            "inference.exposure_response inference.ExposureResponse",
            "Seeding by a log": "inference.credit_distribution inference.CreditDistribution",
            "Funnel and attention of SIPS": "inference.fit_funnel inference.FunnelFit inference.EtaFit "
            "inference.fit_attention inference.RateFit",
            "Feed of SIPS": "inference.follower_elasticity inference.Elasticity inference.calibrate_feed",
        },
    ),
    Page(
        "study",
        "Study",
        "Strategies, budgets, models and graphs crossed, run until the intervals are narrow enough, kept on disk, and reported "
        "on one page. On the command line: `diffusion study`.",
        ("diffusion.study",),
        {"Studies": "Study StudyResult"},
    ),
    Page(
        "datasets",
        "Data sets",
        "The generated default, and public graphs that are fetched on request and checked against a sha256.",
        ("diffusion.datasets",),
        {"Data sets": "datasets.load datasets.cards datasets.Card"},
    ),
    Page(
        "plotting",
        "Plotting",
        "Results plot themselves with `.plot(ax=None)`; these are the parts they use. Every plot takes what it draws, then "
        "`ax=`, then options by name; it returns the axes, and a band says what interval it is.",
        ("diffusion.plotting",),
        {
            "Replay in the browser": "plotting.player_page plotting.player_widget",
            "Simulations": "plotting.plot_growth plotting.plot_reach_curve plotting.plot_virality plotting.plot_cascade_tree "
            "plotting.plot_compartments plotting.plot_shares plotting.plot_comparison plotting.plot_reproduction "
            "plotting.plot_ignition",
            "Communities": "plotting.plot_community_map plotting.plot_partition plotting.plot_reach_against_mixing",
            "Campaigns of SIPS": "plotting.plot_funnel plotting.plot_cost_by_tier",
            "Seeds": "plotting.plot_selection plotting.plot_strategies plotting.plot_response plotting.plot_adaptive "
            "plotting.plot_prices plotting.plot_budget_curve plotting.plot_min_budget plotting.plot_price_sensitivity "
            "plotting.plot_substitutes plotting.plot_maximin plotting.plot_fairness_price plotting.plot_rr_sets",
            "What theory says": "plotting.plot_message_passing plotting.plot_two_communities plotting.plot_adoption "
            "plotting.plot_final_size",
            "What logs teach": "plotting.plot_log plotting.plot_learned plotting.plot_calibration "
            "plotting.plot_predictive_check plotting.plot_exposure_response plotting.plot_credits "
            "plotting.plot_funnel_rates plotting.plot_rates plotting.plot_eta",
            "Parts": "plotting.style plotting.panel plotting.band plotting.intervals plotting.end_labels "
            "plotting.log_axis plotting.figure_to_svg plotting.compact plotting.spelled plotting.strategy_colours "
            "plotting.strategy_markers plotting.text_colour",
            "Colours": "plotting.PALETTE plotting.MARKERS plotting.INK plotting.GREY",
        },
    ),
    Page(
        "errors",
        "Errors",
        "Every error that the package raises on purpose derives from `DiffusionError` and keeps its built-in ancestor. A message "
        "says what was given, what is allowed and what to do.",
        ("diffusion.errors",),
        {
            "Errors": "DiffusionError errors.InputError errors.EndlessFeedError errors.NotFoundError errors.ReadError "
            "errors.MissingDataError errors.OutputError errors.WorkerError",
            "Help with names": "errors.did_you_mean",
        },
    ),
)

#: Values have no docstring of their own: what they are.
DATA = {
    "models.MODELS": 'Classes of the models that have a name, by name: what `model="ic"` means.',
    "models.NOTES": "Kinds of note by name (experience, recommendation, cooperation, official, sponsored): each with p_S, its "
    "standing (prior or assumed) and the reason. `priors_table` shows them as a table.",
    "models.ENGAGEMENT": "Likes, collects, comments and shares of a note per follower of its creator, by name: pooled, the median "
    "note and the quartiles of creators. `priors_table` shows them as a table.",
    "models.SURVEY": "Questions of the source's survey by name: how many agreed of how many asked, the parameter each speaks to, "
    "and its Beta posterior. `priors_table` shows them as a table.",
    "inference.METHODS": 'Classes of the methods by name: what `fit_probabilities(method="em")` means.',
    "plotting.PALETTE": "Colours of series, in order: safe for colour-blind readers.",
    "plotting.MARKERS": "Markers of series, in the order of the colours.",
    "plotting.INK": "Colour of text and axes.",
    "plotting.GREY": "Colour of what stands back.",
}


def public_names() -> list[str]:
    """Return all public names, relative to the package: those of the package and those of its public modules."""
    names = []
    for name in diffusion.__all__:
        value = getattr(diffusion, name)
        if isinstance(value, types.ModuleType):
            names += [f"{name}.{inner}" for inner in value.__all__]
        elif name != "__version__":
            names.append(name)
    return names


def value_of(name: str) -> object:
    """Return what a public name stands for."""
    value: object = diffusion
    for part in name.split("."):
        value = getattr(value, part)
    return value


def pages() -> dict[str, list[tuple[str, list[str]]]]:
    """Return the groups of names of every page, those included that no group above has; a name stands once."""
    objects = {name: value_of(name) for name in public_names()}
    grouped: set[int] = set()
    groups_of: dict[str, list[tuple[str, list[str]]]] = {}
    for page in PAGES:
        groups_of[page.file] = []
        for title, text in page.groups.items():
            names = [name for name in text.split() if name in objects]
            grouped |= {id(objects[name]) for name in names}
            if names:
                groups_of[page.file].append((title, names))
    for name, value in objects.items():
        if id(value) in grouped:
            continue
        grouped.add(id(value))
        module = str(getattr(value, "__module__", None) or f"diffusion.{name.rpartition('.')[0]}")
        fits = [(len(m), page.file) for page in PAGES for m in page.modules if f"{module}.".startswith(f"{m}.")]
        if not fits:
            raise LookupError(f"{name} is defined in {module}, which has no page: add it to docs/api_pages.py")
        groups = groups_of[max(fits)[1]]
        if not groups or groups[-1][0] != "Further":
            groups.append(("Further", []))
        groups[-1][1].append(name)
    return groups_of


def write(folder: Path) -> None:
    """Write the pages and their list; files that would not change are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    groups_of = pages()
    listing = ["# API reference", "", "By convention `import diffusion as dif`.", ""]
    for page in PAGES:
        _put(folder / f"{page.file}.md", "\n".join(_lines(page, groups_of[page.file])))
        listing += [f"[{page.title}]({page.file}.md)", f": {page.text}", ""]
    listing += ["```{toctree}", ":hidden:", "", *(page.file for page in PAGES), "```", ""]
    _put(folder / "index.md", "\n".join(listing))


_AUTOSUMMARY = """```{eval-rst}
.. currentmodule:: diffusion

.. autosummary::
   :toctree: generated
   :nosignatures:
"""


def _lines(page: Page, groups: list[tuple[str, list[str]]]) -> list[str]:
    lines = [f"# {page.title}", "", page.text, ""]
    for title, names in groups:
        lines += [f"## {title}", ""]
        documented = [name for name in names if name not in DATA]
        if documented:
            lines += [_AUTOSUMMARY, *(f"   {name}" for name in documented), "```", ""]
        for name in names:
            if name in DATA:
                head = f".. py:data:: {name}\n   :module: diffusion\n   :type: {type(value_of(name)).__name__}\n"
                lines += ["```{eval-rst}", head, f"   {DATA[name]}", "```", ""]
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
