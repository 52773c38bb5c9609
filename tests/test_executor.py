"""Executors: the same bits as in this process at any split, on threads, processes and Dask; workers that die or differ."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
import warnings
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import diffusion as dif
from diffusion.errors import InputError, WorkerError
from diffusion.seeding import HIST, IMM, OPIM
from diffusion.simulation import workers
from diffusion.simulation.workers import Workers

N = 600


@pytest.fixture(scope="module")
def graph():
    return dif.generate_platform(N, communities=4, rng=1).with_probabilities("weighted_cascade")


class Inline:
    """Runs every task at once, with everything that travels pickled; `meddle` may touch a task before."""

    num_workers = 2

    def __init__(self, meddle=None):
        self.ranges, self.sent, self.returned, self._meddle = [], [], [], meddle

    def submit(self, function, *arguments):
        text = pickle.dumps((function, arguments))
        self.sent.append(len(text))
        self.ranges.append(arguments[1:])
        future: Future = Future()
        try:
            function, arguments = pickle.loads(text)
            if self._meddle is not None:
                arguments = (self._meddle(arguments[0], len(self.sent)), *arguments[1:])
            back = pickle.dumps(function(*arguments))
            self.returned.append(len(back))
            future.set_result(pickle.loads(back))
        except Exception as error:
            future.set_exception(error)
        return future


def same_ensembles(a, b):
    np.testing.assert_array_equal(a.new_by_step, b.new_by_step)
    pd.testing.assert_series_equal(a.activation_probability, b.activation_probability)
    np.testing.assert_equal(a.weight_by_run, b.weight_by_run)
    assert a.details.keys() == b.details.keys()
    assert a.totals == b.totals
    for name in a.details:
        np.testing.assert_array_equal(a.details[name], b.details[name])


SIPS = dif.SIPS(0.3, dif.models.Funnel(share=0.3), dif.models.Feed(impressions=1.0))
MODELS = {
    "ic": "ic",
    "lt": "lt",
    "threshold": dif.Threshold(fraction=0.3, noise=0.01),
    "sips": SIPS,
    "sir": dif.models.SIR(0.4, 1.0),
    "outbreak size": dif.models.OutbreakSize(0.4, 1.0),
    "rivals": dif.models.CompetitiveIC(brands=("A", "B")),
}


@pytest.mark.parametrize("seconds", [0.0, 1e9], ids=["short tasks", "long tasks"])
@pytest.mark.parametrize("name", MODELS)
def test_runs_are_those_of_this_process_at_any_split(graph, name, seconds, monkeypatch):
    monkeypatch.setattr(workers, "TASK_SECONDS", seconds)
    model, seeds = MODELS[name], graph.nodes[:4].tolist()
    given = {"A": seeds[:2], "B": seeds[2:]} if name == "rivals" else seeds
    inline = Inline()
    a, b = (dif.simulate(graph, given, model=model, runs=5300, rng=7, executor=e) for e in (None, inline))
    same_ensembles(a, b)
    first, last = zip(*sorted(inline.ranges), strict=True)
    assert first == (0, *last[:-1])
    assert last[-1] == 5300
    assert (len(inline.ranges) == 11) == (seconds == 0.0)


def test_runs_with_weights_and_one_run_and_deterministic_models(graph):
    weights = np.arange(N) / 3.0
    for runs in (1, 513):
        a, b = (dif.simulate(graph, [5], runs=runs, node_weights=weights, rng=7, executor=e) for e in (None, Inline()))
        same_ensembles(a, b)
    inline = Inline()
    a, b = (dif.simulate(graph, [5], model=dif.Threshold(count=1), runs=5, executor=e) for e in (None, inline))
    same_ensembles(a, b)
    assert not inline.ranges  # computed once, here


@pytest.mark.parametrize("seconds", [0.0, 1e9])
@pytest.mark.parametrize("how", [{"rel_error": 0.03}, {"runs": 1300}, {"max_runs": 700, "rel_error": 1e-6}], ids=str)
def test_spread_and_compare_stop_where_they_stop_in_this_process(graph, how, seconds, monkeypatch):
    monkeypatch.setattr(workers, "TASK_SECONDS", seconds)
    seeds = graph.nodes[:4].tolist()
    a, b = (dif.spread(graph, seeds, rng=7, executor=e, **how) for e in (None, Inline()))
    assert (a.mean, a.low, a.high, a.runs, a.stopped_by) == (b.mean, b.low, b.high, b.runs, b.stopped_by)
    sets = {"four": seeds, "two": seeds[:2], "nobody": []}
    c, d = (dif.compare(graph, sets, rng=7, executor=e, **how) for e in (None, Inline()))
    np.testing.assert_array_equal(c.sizes, d.sizes)
    assert c.stopped_by == d.stopped_by


def test_a_temporal_graph_goes_to_the_workers_too():
    contacts = dif.graph.TemporalGraph.from_contacts(
        ["a", "b", "c", "a"], ["b", "c", "d", "d"], [1, 2, 3, 9], edges_mean="influences", directed=True
    )
    model = dif.models.TemporalSIR(0.7, 0.1)
    a, b = (dif.simulate(contacts, ["a"], model=model, runs=600, rng=7, executor=e) for e in (None, Inline()))
    np.testing.assert_array_equal(a.sizes, b.sizes)


def test_labels_without_a_column_type_go_to_the_workers_too():
    g = dif.FollowerGraph.from_arrays([("a", 1), "b"], ["b", 3.5], edges_mean="influences", directed=True)
    g = g.with_probabilities("constant", p=0.5)
    a, b = (dif.spread(g, [[("a", 1)][0]], rng=7, executor=e) for e in (None, Inline()))
    assert a.mean == b.mean


SELECTIONS = {
    "opim": {"k": 8},
    "hist": {"k": 8, "method": HIST(eps=0.2)},
    "imm": {"k": 3, "method": IMM(eps=0.5)},
    "lt": {"k": 8, "model": "lt"},
    "sips": {"k": 8, "model": SIPS},
    "sir": {"k": 3, "model": dif.models.SIR(0.4, 1.0), "method": OPIM(eps=0.3)},
    "money": {"budget": 20_000},
    "quotas": {"k": 8, "at_most": 3},
    "weights": {"k": 8, "existing": [0, 1], "node_weights": np.arange(N)},
    "few sets": {"k": 8, "method": OPIM(quality=0.99, max_rr_sets=3000)},
    "evaluated": {"k": 4, "evaluate": True},
    "ranking, evaluated": {"k": 4, "method": "degree", "evaluate": True},
}


@pytest.mark.parametrize("name", SELECTIONS)
@pytest.mark.parametrize("seconds", [0.0, 1e9])
def test_seeds_and_bounds_are_those_of_this_process(graph, name, seconds, monkeypatch):
    monkeypatch.setattr(workers, "TASK_SECONDS", seconds)
    inline = Inline()
    a, b = (dif.select_seeds(graph, rng=3, executor=e, **SELECTIONS[name]) for e in (None, inline))
    assert a.seeds == b.seeds
    assert inline.ranges
    for field in ("lower", "upper", "n_rr_sets"):
        np.testing.assert_equal(getattr(a, field), getattr(b, field))
    assert (a.spread is None) == (b.spread is None)
    assert a.spread is None or a.spread.mean == b.spread.mean


@pytest.mark.parametrize(
    "how",
    [{"max_runs": 3000}, {"runs": 700, "node_weights": np.arange(N)}, {"runs": 700, "prices": "price"}],
    ids=["worlds", "weights", "money"],
)
def test_strategies_are_compared_in_the_worlds_of_this_process(graph, how):
    budgets = [3_000, 20_000] if "prices" in how else [2, 9]
    a, b = (dif.compare_strategies(graph, budgets, rng=3, executor=e, **how) for e in (None, Inline()))
    assert a.seeds == b.seeds
    for budget in a.comparisons:
        np.testing.assert_array_equal(a.comparisons[budget].sizes, b.comparisons[budget].sizes)


def test_tasks_carry_no_arrays_and_results_are_reduced(graph):
    inline = Inline()
    dif.spread(graph, graph.nodes[:4].tolist(), node_weights=np.arange(N), rng=7, runs=4096, executor=inline)
    assert max(inline.sent) < 1000
    assert max(inline.returned) < 200 * 4096  # no counts of nodes


def test_time_that_ends_ends_the_search_on_workers(graph):
    found = dif.select_seeds(
        graph, 8, method=OPIM(quality=0.999, max_rr_sets=2**24), time_limit=0.5, rng=3, executor=Inline()
    )
    assert found.stopped == "time"
    assert len(found.seeds) == 8


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad", [3, "tcp://127.0.0.1:8786", ProcessPoolExecutor, object()], ids=["3", "address", "class", "object"]
)
def test_an_executor_without_submit_is_refused(graph, bad):
    for call in (dif.spread, dif.simulate):
        with pytest.raises(InputError, match=r"executor is .*ProcessPoolExecutor"):
            call(graph, [0], executor=bad)
    with pytest.raises(InputError, match="executor is"):
        dif.select_seeds(graph, 2, executor=bad)


def test_a_method_without_rr_sets_does_not_take_an_executor(graph):
    with pytest.raises(InputError, match="executor= is not used by the method 'celf'"):
        dif.select_seeds(graph, 2, method="celf", executor=Inline())


def test_a_graph_that_no_worker_can_open(graph):
    def meddle(task, count):
        return pickle.loads(pickle.dumps(task).replace(b"/diffusion-", b"/difFusion-"))

    with pytest.raises(WorkerError, match=r"process \d+ on .* cannot open .*DIFFUSION_SHARED"):
        dif.spread(graph, [0], rng=7, executor=Inline(meddle))


def test_a_file_that_changes_under_the_workers():
    g = dif.generate_platform(100, communities=2, rng=1).with_probabilities("weighted_cascade")

    def meddle(task, count):
        if count == 3:
            path = Path(task.graph.path)
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
        return task

    with pytest.raises(WorkerError, match=r"changed while tasks were under way: .*process \d+"):
        dif.simulate(g, [0], rng=7, runs=20_000, executor=Inline(meddle))


@pytest.mark.parametrize("package", ["diffusion", "numba", "numpy", "Python"])
def test_other_versions_on_a_worker(graph, package):
    def meddle(task, count):
        task.versions[package] = "0.0.1"
        return task

    with pytest.raises(WorkerError, match=rf"the worker process \d+ on .* has {package} .*has {package} 0\.0\.1: "):
        dif.spread(graph, [0], rng=7, executor=Inline(meddle))


def test_errors_of_workers_keep_their_kind(graph):
    class Broken(Inline):
        def submit(self, function, *arguments):
            future: Future = Future()
            future.set_exception(MemoryError("no room"))
            return future

    with pytest.raises(WorkerError, match=r"no result for runs 0 to 511 \(MemoryError: no room\)"):
        dif.spread(graph, [0], rng=7, executor=Broken())
    closed = ThreadPoolExecutor(1)
    closed.shutdown()
    with pytest.raises(WorkerError, match="shutdown"):
        dif.spread(graph, [0], rng=7, executor=closed)


# --- real executors --------------------------------------------------------------------------------------------------


def kill_soon(pids, after=0.0):
    """Kill one of the processes from another thread."""
    thread = threading.Timer(after, lambda: os.kill(pids()[0], signal.SIGKILL))
    thread.start()
    return thread


def test_threads_and_a_pool_of_processes(graph):
    seeds = graph.nodes[:4].tolist()
    expected = dif.spread(graph, seeds, rng=7, max_runs=4000), dif.select_seeds(graph, 5, rng=3)
    spawn = multiprocessing.get_context("spawn")
    for executor in (ThreadPoolExecutor(2), ProcessPoolExecutor(2, mp_context=spawn)):
        with executor:
            found = dif.spread(graph, seeds, rng=7, max_runs=4000, executor=executor)
            chosen = dif.select_seeds(graph, 5, rng=3, executor=executor)
        assert (found.mean, found.runs) == (expected[0].mean, expected[0].runs)
        assert (chosen.seeds, chosen.lower) == (expected[1].seeds, expected[1].lower)


def test_a_pool_whose_process_dies_says_so(graph):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        pool.submit(os.getpid).result()
        killer = kill_soon(lambda: list(pool._processes), after=0.3)
        with pytest.raises(WorkerError, match=r"no result for runs .*Broken.*a worker died"):
            dif.simulate(graph, graph.nodes[:4].tolist(), runs=10_000_000, rng=7, executor=pool)
        killer.join()


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", silence_logs=50
        ) as local,
        distributed.Client(local) as client,
    ):
        client.wait_for_workers(2)
        yield client


def pids(client):
    """Return the processes of the two workers, as soon as both answer: one that was killed does not, till its successor is there."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = client.run(os.getpid, on_error="return")
        if len(found) == 2 and all(isinstance(pid, int) for pid in found.values()):
            return [found[address] for address in sorted(found)]
        time.sleep(0.1)
    raise TimeoutError(f"two workers did not answer within a minute: {found}")


@pytest.mark.slow
def test_dask_gives_the_same_bits_without_a_warning(graph, cluster):
    seeds = graph.nodes[:4].tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = dif.spread(graph, seeds, rng=7, max_runs=4000, node_weights=np.arange(N), executor=cluster)
        chosen = dif.select_seeds(graph, 5, rng=3, executor=cluster)
        ensemble = dif.simulate(graph, seeds, runs=1500, rng=7, executor=cluster.get_executor(pure=False))
    here = dif.spread(graph, seeds, rng=7, max_runs=4000, node_weights=np.arange(N))
    assert (found.mean, found.runs) == (here.mean, here.runs)
    assert chosen.seeds == dif.select_seeds(graph, 5, rng=3).seeds
    same_ensembles(ensemble, dif.simulate(graph, seeds, runs=1500, rng=7))
    assert Workers(cluster.get_executor()).slots == 2


@pytest.mark.slow
def test_a_killed_worker_costs_a_spread_nothing(graph, cluster, monkeypatch):
    monkeypatch.setattr(workers, "TASK_SECONDS", 0.2)
    seeds, runs = graph.nodes[:4].tolist(), 200_000
    before = pids(cluster)
    killer = kill_soon(lambda: before, after=1.0)
    start = time.perf_counter()
    found = dif.spread(graph, seeds, runs=runs, rng=7, executor=cluster)
    killer.join()
    assert time.perf_counter() - start > 1.0  # it was under way
    assert before[0] not in pids(cluster)
    here = dif.spread(graph, seeds, runs=runs, rng=7)
    assert (found.mean, found.low, found.high, found.runs) == (here.mean, here.low, here.high, here.runs)


STUDY = {
    "graph": {"users": N, "communities": 4},
    "models": ["ic", SIPS],
    "strategies": ["random", "opim"],
    "budgets": [2, 5],
    "mixing": [0.1, 0.4],
    "replicates": 2,
    "rel_error": 0.05,
    "max_runs": 1024,
}


def tables_of(result):
    tables = {name: result.to_pandas(name) for name in ("results", "conditions", "points", "seeds", "new_by_step")}
    times = ["seconds_select", "seconds_simulate"]
    return {name: table.drop(columns=times, errors="ignore") for name, table in tables.items()}


@pytest.fixture(scope="module")
def study_here(tmp_path_factory):
    return tables_of(dif.Study(**STUDY).run(tmp_path_factory.mktemp("here"), rng=5))


def same_tables(a, b):
    assert a.keys() == b.keys()
    for name in a:
        pd.testing.assert_frame_equal(a[name], b[name])


@pytest.mark.slow
def test_a_study_has_the_same_tables_on_workers(study_here, tmp_path):
    inline = Inline()
    same_tables(study_here, tables_of(dif.Study(**STUDY).run(tmp_path, rng=5, executor=inline)))
    done = len(inline.ranges)
    again = dif.Study(**STUDY).run(tmp_path, rng=5, executor=inline)
    assert len(inline.ranges) == done
    assert again.provenance["cells_computed"] == 0


@pytest.mark.slow
def test_a_worker_killed_in_a_study_costs_nothing(study_here, cluster, tmp_path):
    before = pids(cluster)

    def kill():
        while len(list((tmp_path / "cells").glob("*.parquet"))) < 5:
            time.sleep(0.02)
        os.kill(before[0], signal.SIGKILL)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    found = dif.Study(**STUDY).run(tmp_path, rng=5, executor=cluster)
    thread.join(timeout=5)
    assert before[0] not in pids(cluster)
    same_tables(study_here, tables_of(found))


@pytest.mark.slow
def test_an_edge_file_that_differs_on_a_worker(tmp_path, monkeypatch):
    g = dif.generate_platform(200, communities=2, rng=1)
    g.to_pandas()[["source", "target"]].to_csv(tmp_path / "edges.csv", index=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(
        '[graph.edges]\nfile = "edges.csv"\nedges_mean = "influences"\ncommunities = "leiden"\n[seeding]\nstrategy = ["degree"]\nbudget = [2]\n'
    )
    study = dif.Study.from_toml(tmp_path / "study.toml")

    def meddle(task, count):
        (tmp_path / "edges.csv").write_text("source,target\n1,2\n")
        return task

    with pytest.raises(WorkerError, match=r"does not find the file '.*edges\.csv' as it is"):
        study.run(tmp_path / "out", executor=Inline(meddle))
