"""The command line: ``diffusion study``."""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._version import __version__
from .errors import DiffusionError

if TYPE_CHECKING:
    from .study.design import StudyDesign

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="diffusion",
        description="Information diffusion on follower graphs: measure how far and how fast it spreads.",
    )
    parser.add_argument("--version", action="version", version=f"diffusion {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    study = commands.add_parser(
        "study",
        help="run a study and write its tables and report",
        description="Run a study: seeding strategies x budgets x probabilities x models. Without a file, the default "
        "study runs on a generated follower graph. Run the same command again to finish an interrupted study.",
    )
    study.add_argument("file", nargs="?", metavar="study.toml", help="what the study varies")
    study.add_argument("--edges", metavar="FILE", help="run on this edge list (SNAP text, CSV, Parquet; .gz) instead")
    study.add_argument(
        "--edges-mean",
        choices=("follows", "influences"),
        help="what a row 'u v' means: u follows v (content flows from v to u), or content flows from u to v",
    )
    study.add_argument("--undirected", action="store_true", help="every row of the edge list is two arcs, one each way")
    study.add_argument(
        "--parallel", choices=("collapse", "keep"), help="repeated edges become one (the default), or are counted"
    )
    for role, what in (
        ("source", "the first end of an edge, the u of a row 'u v'"),
        ("target", "the other end"),
        ("weight", "the weight of an edge, which the rules 'column' and 'lt' of a study file read"),
        ("time", "its time"),
    ):
        study.add_argument(f"--{role}", metavar="COLUMN", help=f"column with {what}: a name, or a position from 0")
    study.add_argument(
        "--combine",
        choices=("sum", "max", "min", "mean", "noisy_or"),
        help="how the weights of repeated edges become one",
    )
    study.add_argument(
        "--communities",
        metavar="METHOD|FILE",
        help="leiden (the default), louvain, infomap, label_propagation, or a file with a row 'node community' each",
    )
    study.add_argument(
        "--communities-rows",
        choices=("nodes", "communities"),
        default="nodes",
        help="what a row of that file is: a node and its community, or all members of one community",
    )
    study.add_argument(
        "--rewire",
        metavar="LEVELS",
        default="0.5x,1x,1.5x",
        help="mixings of copies of the graph that keep every degree: shares or multiples of its own, joined by commas "
        "(default: 0.5x,1x,1.5x; none: the graph alone)",
    )
    study.add_argument(
        "--quick",
        action="store_true",
        help="fewer replicates, levels and samples: a first look, which the report calls so",
    )
    study.add_argument("--out", metavar="DIR", help="folder for cells, tables and report")
    study.add_argument(
        "--overwrite", action="store_true", help="replace the tables and report of another study in that folder"
    )
    study.add_argument("--seed", type=int, help="whole number that every random draw follows from")
    study.add_argument("--threads", type=int, help="cells under way at once (default: all CPUs)")
    study.add_argument("--workers", type=int, metavar="N", help="use N worker processes of this machine instead")
    study.add_argument(
        "--cluster", metavar="ADDRESS", help="use the workers of a Dask scheduler, such as tcp://10.0.0.1:8786"
    )
    study.add_argument("--example", action="store_true", help="print a commented study file and stop")
    commands.add_parser(
        "warmup",
        help="compile all kernels now, so that no later call has to wait",
        description="Compile all kernels, or load them from numba's cache, and say how long it took.",
    )
    return parser


OF_EDGES = ("edges_mean", "undirected", "parallel", "source", "target", "weight", "time", "combine", "communities")


def _listed(names: list[str]) -> str:
    options = [f"--{name.replace('_', '-')}" for name in names]
    return options[0] if len(options) == 1 else f"{', '.join(options[:-1])} and {options[-1]}"


def _design(options: argparse.Namespace) -> StudyDesign:
    from .study.design import on_edges, parse_study, read_study

    design = read_study(options.file) if options.file else parse_study({})
    if options.edges is None:
        given = [name for name in OF_EDGES if getattr(options, name)]
        if given:
            raise DiffusionError(f"{_listed(given)}: such options belong to --edges FILE")
    if options.edges is not None:
        edges: dict[str, Any] = {
            "file": options.edges,
            "directed": not options.undirected,
            "parallel": options.parallel or "collapse",
        }
        for name in ("source", "target", "weight", "time"):
            column = getattr(options, name)
            if column is not None:
                edges[name] = int(column) if column.isdecimal() else column
        if options.combine:
            edges["combine"] = options.combine
        if options.edges_mean:
            edges["edges_mean"] = options.edges_mean
        elif not options.undirected:
            raise DiffusionError(
                "--edges needs --edges-mean follows (a row 'u v' means that u follows v) or --edges-mean influences "
                "(content flows from u to v), or --undirected: spreads can differ several times between the two"
            )
        source = options.communities or "leiden"
        as_file = source not in ("leiden", "louvain", "infomap", "label_propagation")
        edges["communities"] = {"file": source, "rows": options.communities_rows} if as_file else source
        if options.rewire != "none":
            levels = options.rewire.split(",")
            edges["rewire_mixing"] = [level if level.endswith("x") else _share(level) for level in levels]
        name = Path(options.edges).name.split(".")[0]
        document = tomllib.loads(Path(options.file).read_text(encoding="utf-8")) if options.file else None
        design = parse_study(on_edges(edges, document))
        design = design if options.file else replace(design, out=f"results/{name}")
    if options.seed is not None:
        design = replace(design, seed=parse_study({"seed": options.seed}).seed)
    if options.quick:
        design = design.made_quick()
    return design if options.out is None else replace(design, out=options.out)


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DiffusionError(
            f"--rewire {text!r} is no mixing: give shares such as 0.2 or multiples such as 0.5x"
        ) from None


@contextmanager
def _workers(options: argparse.Namespace) -> Iterator[Any]:
    """Yield a Dask client of the workers that were asked for, with compiled kernels; None where none were."""
    if options.workers is None and options.cluster is None:
        yield None
        return
    if [options.threads, options.workers, options.cluster].count(None) < 2:
        raise DiffusionError("give one of --threads N, --workers N and --cluster ADDRESS")
    if options.workers is not None and options.workers < 1:
        raise DiffusionError(f"--workers {options.workers} is not a number of workers: give a whole number from 1")
    try:
        dask: Any = import_module("distributed")
    except ImportError:
        raise DiffusionError(
            "--workers and --cluster need the package distributed: pip install 'diffusion-graphs[cluster]'"
        ) from None
    from .simulation.simulate import warmup

    with ExitStack() as stack:
        at = options.cluster
        if at is None:
            warmup()  # once, and not by all workers at once
            many: dict[str, Any] = {"n_workers": options.workers, "threads_per_worker": 1, "dashboard_address": None}
            logging.getLogger("distributed").setLevel(logging.CRITICAL)  # workers that end are no news
            at = stack.enter_context(dask.LocalCluster(**many, silence_logs=logging.CRITICAL))
        try:
            client = stack.enter_context(dask.Client(at, timeout=20))
        except (OSError, ValueError) as error:
            raise DiffusionError(
                f"no Dask scheduler answers at {at!r} ({error}): start one with 'dask scheduler', and give its address"
            ) from None
        client.run(warmup)
        yield client


def _study(options: argparse.Namespace, command: str) -> None:
    from .study.design import EXAMPLE

    if options.example:
        print(EXAMPLE, end="")
        return
    design = _design(options)
    from .study.study import Study

    read = any("weight" in spec.parameters for spec in design.graphs if spec.kind == "edges")
    if read and not any(spec.rule is not None and spec.rule.rule in ("column", "lt") for spec in design.models):
        print(
            "the weights are read, but no model of this study uses them: those with the rules 'column' or 'lt' do",
            file=sys.stderr,
        )
    print(f"{design.title}  ({Study.from_design(design)!r})", file=sys.stderr)
    with _workers(options) as executor:
        result = Study.from_design(design).run(
            threads=options.threads, executor=executor, command=command, overwrite=options.overwrite
        )
    record = result.provenance
    print(
        f"{record['cells_computed']} cells computed, {record['cells_reused']} found finished, {record['cells_skipped']} "
        f"combinations impossible, in {record['seconds']:.1f} s",
        file=sys.stderr,
    )
    print(result.folder / "report.html")


def _warmup() -> None:
    import time

    import diffusion as dif

    start = time.perf_counter()
    dif.warmup()
    graph = dif.generate_platform(200, communities=2, rng=1).with_probabilities("weighted_cascade")
    for model in ("ic", "lt"):
        dif.select_seeds(graph, 2, model=model, method="opim", rng=1)
        dif.select_seeds(graph, budget=2_000, model=model, method="opim", rng=1)
    dif.select_seeds(graph.with_probabilities("constant", p=0.3), 2, method="hist", rng=1)
    dif.select_seeds(graph, 2, method="degree_discount")
    funnel, feed = dif.models.Funnel(share=0.3), dif.models.Feed(impressions=1.0)
    for identify in ("simple", dif.models.Complex(2)):
        dif.simulate(graph, [0], model=dif.SIPS(0.3, funnel, feed, identify), runs=128, rng=1).replay(0)
    for shown in (None, dif.models.Feed(impressions=1.0, own_community=0.5)):
        campaign = dif.simulate(graph, [0], model=dif.SIPS(0.9, dif.models.Funnel(), shown), runs=64, rng=1)
        dif.growth(campaign, rng=1)
    dif.select_seeds(graph, budget=2_000, model=dif.SIPS(0.3, funnel), rng=1)
    dif.compare_strategies(graph, [1, 2], runs=64, rng=1)
    dif.structural_virality(dif.independent_cascade(graph, [0], rng=1))
    print(f"kernels ready after {time.perf_counter() - start:.1f} s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given)
    logging.basicConfig(format="%(message)s")
    logging.getLogger("diffusion").setLevel(logging.INFO)
    try:
        if options.command == "warmup":
            _warmup()
        else:
            _study(options, shlex.join(["diffusion", *given]))
    except DiffusionError as error:
        print(f"diffusion: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("diffusion: interrupted; finished cells are kept, the same command goes on from there", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
