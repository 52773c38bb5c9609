"""Adapters of the peers: each takes a follower graph and seeds, and simulates so many runs on one thread.

They get the arcs in the internal order of the graph, which is sorted by in-degree: what helps our cache lines helps theirs.
"""

from __future__ import annotations

import array
import importlib
import os
import re
import subprocess
import tempfile
import time
from typing import Any

import numpy as np

import diffusion as dif


class MissingPeer(Exception):
    """The peer is not installed."""


def module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingPeer(f"not installed ({error})") from None


def _arcs(graph: dif.FollowerGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sources, targets and probabilities in internal order."""
    assert graph.probabilities is not None
    source = np.repeat(np.arange(graph.n_nodes), np.diff(graph.csr.indptr))
    return source, graph.csr.indices, np.broadcast_to(graph.probabilities.values, graph.n_edges)


def _packed(kind: str, values: np.ndarray) -> array.array[Any]:
    packed: array.array[Any] = array.array(kind)
    packed.frombytes(np.ascontiguousarray(values).tobytes())
    return packed


class CyNetDiff:
    """Cython and C++. Takes array.array only, and seeds as Python ints."""

    name = "CyNetDiff"
    package = "cynetdiff"

    def __init__(self, graph: dif.FollowerGraph, seeds: list[Any], model: str) -> None:
        models = module("cynetdiff.models")
        assert graph.probabilities is not None
        starts = _packed("I", graph.csr.indptr[:-1].astype(np.uint32))
        arcs = _packed("I", graph.csr.indices.astype(np.uint32))
        p = _packed("f", np.broadcast_to(graph.probabilities.values, graph.n_edges).astype(np.float32))
        if model == "lt":
            self.model = models.LinearThresholdModel(starts, arcs, influence=p, rng=np.random.default_rng(1))
        else:
            self.model = models.IndependentCascadeModel(starts, arcs, activation_probs=p, rng=np.random.default_rng(1))
        self.model.set_seeds(graph.index.internal(seeds).tolist())

    def runs(self, count: int) -> float:
        """Mean spread of `count` runs."""
        total = 0
        for _ in range(count):
            self.model.reset_model()
            self.model.advance_until_completion()
            total += self.model.get_num_activated_nodes()
        return total / count


class PyNetIM:
    """C++ behind pybind11."""

    name = "PyNetIM"
    package = "pynetim"

    def __init__(self, graph: dif.FollowerGraph, seeds: list[Any], model: str) -> None:
        pynetim = module("pynetim")
        source, target, p = _arcs(graph)
        # Renumbering would leave out nodes without an arc and number the others as they come.
        self.graph = pynetim.IMGraph(
            list(zip(source.tolist(), target.tolist(), strict=True)), weights=p.tolist(), directed=True, renumber=False
        )
        kind = pynetim.LinearThresholdModel if model == "lt" else pynetim.IndependentCascadeModel
        self.model = kind(self.graph, set(graph.index.internal(seeds).tolist()))
        self.seed = 0

    def runs(self, count: int) -> float:
        """Mean spread of `count` runs."""
        self.seed += 1
        return float(self.model.run_monte_carlo_diffusion(count, random_seed=self.seed))


class PyNetIMSeeds:
    """OPIM-C of PyNetIM."""

    name = "PyNetIM"

    def __init__(self, graph: dif.FollowerGraph) -> None:
        self.graph = graph
        self.peer = PyNetIM(graph, graph.nodes[:1].tolist(), "ic").graph
        self.make = module("pynetim.algorithms").OPIMCAlgorithm

    def select(self, setting: dict[str, float], key: int, k: int = 50) -> tuple[float, list[Any]]:
        """Processor seconds and seeds."""
        algorithm = self.make(self.peer, "IC", random_seed=key)
        start = time.process_time()
        seeds = algorithm.run(k, setting["eps"])
        return time.process_time() - start, list(self.graph.index.labels_of(sorted(seeds)))


class Subsim:
    """C++, for one probability into each node. It draws from the clock, and says itself how long it took."""

    name = "SUBSIM"

    def __init__(self, graph: dif.FollowerGraph) -> None:
        program = os.environ.get("SUBSIM")
        if not program:
            raise MissingPeer("the environment variable SUBSIM does not hold its path")
        self.graph, self.program = graph, program
        self.folder = tempfile.TemporaryDirectory()
        source, target, _ = _arcs(graph)
        with open(f"{self.folder.name}/graph", "w", encoding="ascii") as file:
            file.write(f"{graph.n_nodes} {graph.n_edges}\n")
            np.savetxt(file, np.column_stack([source, target]), fmt="%d")
        self._call("-func=format", "-pdist=wc")

    def _call(self, *arguments: str) -> str:
        command = [
            self.program,
            *arguments,
            "-gname=graph",
            f"-dir={self.folder.name}",
            f"-outpath={self.folder.name}/out",
        ]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def select(self, setting: dict[str, float], key: int, k: int = 50) -> tuple[float, list[Any]]:
        """Seconds and seeds."""
        printed = self._call("-func=im", f"-seedsize={k}", f"-eps={setting['eps']}")
        seeds = np.loadtxt(f"{self.folder.name}/out/seed/seed_graph_subsim_k{k}_wc", dtype=np.int64)
        seconds = re.search(r"Time \(sec\): (\S+)", printed)
        assert seconds is not None
        return float(seconds[1]), list(self.graph.index.labels_of(seeds))


def _digraph(graph: dif.FollowerGraph) -> Any:
    networkx = module("networkx")
    found = networkx.DiGraph()
    found.add_nodes_from(range(graph.n_nodes))
    source, target, _ = _arcs(graph)
    found.add_edges_from(zip(source.tolist(), target.tolist(), strict=True))
    return found


class EoN:
    """Pure Python on networkx: a discrete SIR model with recovery after one step is the independent cascade."""

    name = "EoN"
    package = "EoN"

    def __init__(self, graph: dif.FollowerGraph, seeds: list[Any], model: str) -> None:
        if model != "ic":
            raise MissingPeer("has no linear threshold model")
        self.eon = module("EoN")
        self.graph = _digraph(graph)
        self.seeds = graph.index.internal(seeds).tolist()
        source, target, p = _arcs(graph)
        chance = dict(zip(zip(source.tolist(), target.tolist(), strict=True), p.tolist(), strict=True))
        draw = np.random.default_rng(1).random
        self.transmits = lambda u, v: draw() < chance[u, v]

    def runs(self, count: int) -> float:
        """Mean spread of `count` runs."""
        total = 0
        for _ in range(count):
            *_, recovered = self.eon.discrete_SIR(self.graph, self.transmits, (), initial_infecteds=self.seeds)
            total += int(recovered[-1])
        return total / count


class NDlib:
    """Pure Python on networkx. It drops edge probabilities unless every edge has one, so every edge gets one."""

    name = "NDlib"
    package = "ndlib"

    def __init__(self, graph: dif.FollowerGraph, seeds: list[Any], model: str) -> None:
        if model != "ic":
            raise MissingPeer("its threshold model has no random thresholds a run")
        config_module = module("ndlib.models.ModelConfig")
        epidemics = module("ndlib.models.epidemics")
        np.random.seed(1)  # noqa: NPY002  its own source of chance
        self.model = epidemics.IndependentCascadesModel(_digraph(graph))
        self.seeds = graph.index.internal(seeds).tolist()
        config = config_module.Configuration()
        source, target, p = _arcs(graph)
        # What add_edge_configuration does for one edge at a time.
        config.config["edges"]["threshold"] = dict(
            zip(zip(source.tolist(), target.tolist(), strict=True), p.tolist(), strict=True)
        )
        config.add_model_initial_configuration("Infected", self.seeds)
        self.model.set_initial_status(config)

    def runs(self, count: int) -> float:
        """Mean spread of `count` runs."""
        total = 0
        for _ in range(count):
            self.model.reset(self.seeds)
            found = self.model.iteration(node_status=False)
            while found["node_count"][1]:
                found = self.model.iteration(node_status=False)
            total += found["node_count"][2]
        return total / count


class InfluenceDiffusion:
    """Weights of the linear threshold model from traces, in Python on numpy masks.

    It is not in the `bench` extra, for it asks for jax and for the `typing` of Python 2: install it with ``--no-deps``, and
    joblib, cloudpickle and jax. Arcs are given in ascending order, since it writes weights in the order of its arrays.
    """

    name = "InfluenceDiffusion"
    package = "InfluenceDiffusion"
    kinds = ("EM", "SLSQP")

    def __init__(self, graph: dif.FollowerGraph, table: Any, kind: str) -> None:
        nx, package = module("networkx"), module("InfluenceDiffusion")
        models = module("InfluenceDiffusion.estimation_models")
        arcs = graph.to_pandas()[["source", "target"]]
        made = nx.DiGraph()
        made.add_nodes_from(graph.nodes.tolist())
        made.add_edges_from(arcs.itertuples(index=False, name=None))
        self.graph = package.Graph(made)
        steps = table.groupby(["item", "time"])["user"].agg(set)
        self.traces = [tuple(sets) for _, sets in steps.groupby(level="item")]
        place = {arc: i for i, arc in enumerate(map(tuple, self.graph.edge_array.tolist()))}
        self.order = [place[arc] for arc in arcs.itertuples(index=False, name=None)]

        class EM(models.LTWeightEstimatorEM):  # type: ignore[misc, name-defined]
            """It cannot be made as it is: version 0.0.22 names the method differently where it is called."""

            def _fit_vertex_parent_params(self, vertex: int, **options: Any) -> Any:
                return self._optimize_vertex_parent_params(vertex, **options)

        self.kind = EM if kind == "EM" else models.GLTWeightEstimator
        self.weights = np.zeros(0)

    def fit(self) -> None:
        """Fit the weights anew, at the package's defaults."""
        np.random.seed(1)  # noqa: NPY002  its own source of chance, for the start values
        self.weights = self.kind(self.graph, n_jobs=1).fit(self.traces).weights_[self.order]


PEERS = (CyNetDiff, PyNetIM, EoN, NDlib)
