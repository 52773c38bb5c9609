"""Where the package runs: imports, threads, forked children, machines where nothing can be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import oldest
import pytest
from conftest import count_real_data
from strategies import random_graph

import diffusion as dif
from diffusion._threads import map_chunks, n_threads
from diffusion.errors import InputError

ROOT = Path(dif.__file__).resolve().parents[1]
HEAVY = (
    "numba",
    "llvmlite",
    "pandas",
    "scipy",
    "matplotlib",
    "igraph",
    "networkx",
    "pyarrow",
    "pooch",
    "tqdm",
    "jinja2",
)


def python(code: str, *, folder: Path = ROOT, **environment: str) -> str:
    """What a fresh interpreter prints; an error there is an error here."""
    found = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", textwrap.dedent(code)],
        cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    return found.stdout


# -- import ------------------------------------------------------------------------------------------------------------


def test_import_is_light():
    out = python(f"""
        import sys, time
        start = time.perf_counter()
        import diffusion
        took = time.perf_counter() - start
        loaded = [name for name in {HEAVY!r} if name in sys.modules]
        assert not loaded, loaded
        assert set(diffusion.__all__) <= set(dir(diffusion))
        assert not [name for name in {HEAVY!r} if name in sys.modules]
        print(f"import diffusion: {{1000 * took:.0f}} ms")
    """)
    print(out)


def test_every_public_name_resolves():
    assert len(dif.__all__) == len(set(dif.__all__)) > 20
    for name in dif.__all__:
        assert getattr(dif, name) is not None
    with pytest.raises(AttributeError):
        dif.no_such_name  # noqa: B018
    assert dif.__version__.count(".") >= 1


def test_public_functions_are_documented():
    for name in dif.__all__:
        found = getattr(dif, name)
        assert isinstance(found, str) or (found.__doc__ or "").strip(), name


# -- threads and children ----------------------------------------------------------------------------------------------

WORK = """
    import hashlib, os, sys
    import numpy as np
    import diffusion as dif

    draw = np.random.default_rng(3)
    graph = dif.FollowerGraph.from_arrays(
        draw.integers(0, 200, 900), draw.integers(0, 200, 900), edges_mean="follows", directed=True
    ).with_probabilities("weighted_cascade")

    def digest(threads=2):
        runs = [
            dif.simulate(graph, graph.nodes[:3], model=model, runs=1300, rng=5, threads=threads).new_by_step.tobytes()
            for model in ("ic", "lt")
        ]
        return hashlib.sha256(b"".join(runs)).hexdigest()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_simulates_as_its_parent_does():
    out = python(
        WORK
        + """
    import multiprocessing

    mine = digest()
    print(mine, flush=True)
    if os.fork() == 0:
        print(digest(), flush=True)
        os._exit(0)
    os.wait()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(*pool.map(digest, [1, 2, 4]), sep="\\n")
    print(digest())
    """
    )
    lines = out.split()
    assert len(lines) == 6
    assert len(set(lines)) == 1


def test_a_spawned_child_simulates_as_its_parent_does(tmp_path):
    """A graph and an ensemble travel by pickle."""
    graph = random_graph(100, 400, rng=3).with_probabilities("weighted_cascade")
    ens = dif.simulate(graph, [0, 1], runs=700, rng=5)
    import pickle

    (tmp_path / "both.pickle").write_bytes(pickle.dumps((graph, ens)))
    out = python(f"""
        import pickle
        import diffusion as dif
        graph, ens = pickle.load(open({str(tmp_path / "both.pickle")!r}, "rb"))
        again = dif.simulate(graph, ens.seeds, runs=700, rng=5)
        print((again.new_by_step == ens.new_by_step).all(), ens.replay(3).size == ens.sizes[3], graph.fingerprint)
    """)
    assert out.split() == ["True", "True", graph.fingerprint]


def test_calls_from_several_threads_at_once():
    graph = random_graph(150, 600, rng=3).with_probabilities("weighted_cascade")
    models = [dif.IC(), dif.LT(), dif.Threshold(count=2, noise=0.1)]
    run = lambda model, threads: dif.simulate(graph, [0, 1], model=model, runs=1100, rng=5, threads=threads)  # noqa: E731
    want = [run(model, 1).new_by_step for model in models]
    gate = threading.Barrier(6)

    def together(i: int) -> bool:
        gate.wait(30)
        return all(np.array_equal(run(models[i % 3], 1 + i % 2).new_by_step, want[i % 3]) for _ in range(3))

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(together, range(6)))


def test_first_calls_from_several_threads_at_once():
    """Kernels are compiled or loaded by several threads that know nothing of each other."""
    out = python(
        WORK
        + """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        print(*set(pool.map(digest, [1, 2, 1, 2])), sep="\\n")
    """
    )
    assert len(out.split()) == 1


def test_thread_count(monkeypatch):
    monkeypatch.delenv("DIFFUSION_THREADS", raising=False)
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert n_threads() == available
    assert n_threads(3) == 3
    assert n_threads(np.int64(2)) == 2
    monkeypatch.setenv("DIFFUSION_THREADS", "5")
    assert n_threads() == 5
    assert n_threads(1) == 1


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_thread_count_of_the_environment_is_checked(monkeypatch, value):
    monkeypatch.setenv("DIFFUSION_THREADS", value)
    graph = random_graph(10, 20, rng=1).with_probabilities("constant", p=0.1)
    with pytest.raises(
        InputError, match=rf"DIFFUSION_THREADS='{value}' is not a thread count: give a whole number from 1"
    ):
        dif.simulate(graph, [0], runs=5)
    assert dif.simulate(graph, [0], runs=5, threads=1).runs == 5


def test_thread_count_of_the_environment_changes_no_result(monkeypatch):
    graph = random_graph(100, 400, rng=1).with_probabilities("weighted_cascade")
    sizes = []
    for value in ("1", "3"):
        monkeypatch.setenv("DIFFUSION_THREADS", value)
        sizes.append(dif.simulate(graph, [0], runs=2000, rng=1).sizes.tolist())
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_chunks_are_each_done_once(threads):
    assert sorted(map_chunks(lambda x: x * x, range(40), threads=threads)) == [(k, k * k) for k in range(40)]
    assert list(map_chunks(lambda x: x, [], threads=threads)) == []


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_an_error_in_a_chunk_ends_the_loop(threads):
    started = []

    def work(k: int) -> int:
        started.append(k)
        if k == 3:
            raise KeyError("chunk 3")
        time.sleep(0.001)
        return k

    with pytest.raises(KeyError, match="chunk 3"):
        list(map_chunks(work, range(1000), threads=threads))
    assert len(started) <= 4 + 3 * threads
    assert threading.active_count() < 50


def test_a_consumer_that_stops_early_starts_no_more():
    started = []
    loop = map_chunks(lambda k: started.append(k), range(1000), threads=2)
    next(loop)
    loop.close()
    assert len(started) < 10


# -- nothing can be written --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sealed(tmp_path_factory) -> Path:
    """A copy of the package in which no cache folder can be made, not even by root: a file stands in its place."""
    folder = tmp_path_factory.mktemp("sealed")
    shutil.copytree(ROOT / "diffusion", folder / "diffusion", ignore=shutil.ignore_patterns("__pycache__", "*.nb?"))
    for inner in [folder / "diffusion", *(p for p in (folder / "diffusion").rglob("*") if p.is_dir())]:
        (inner / "__pycache__").write_text("a file, not a folder")
    return folder


def test_without_a_place_for_a_cache(sealed, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    out = python(
        """
        import logging
        said = []
        log = logging.getLogger("diffusion")
        log.setLevel(logging.INFO)
        log.addHandler(type("List", (logging.Handler,), {"emit": lambda self, r: said.append(r.getMessage())})())
        import diffusion as dif
        from pathlib import Path
        graph = dif.FollowerGraph.from_arrays([0, 1], [1, 2], edges_mean="influences", directed=True)
        ens = dif.simulate(graph.with_probabilities("constant", p=1.0), [0], runs=3, rng=1)
        told = any("no writable cache folder" in message for message in said)
        print(Path(dif.__file__).parents[1], ens.sizes.tolist(), told, sep="|")
        """,
        folder=sealed, HOME="/proc/self/nowhere", XDG_CACHE_HOME="/proc/self/nowhere",
    )  # fmt: skip
    where, sizes, told = out.strip().split("|")
    assert Path(where) == sealed
    assert sizes == "[3, 3, 3]"
    assert told == "True"


def test_saved_graphs_can_be_read_where_nothing_can_be_written(tmp_path):
    graph = random_graph(50, 200, rng=1).with_probabilities("weighted_cascade")
    path = tmp_path / "g.arrow"
    graph.save(path)
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        assert dif.FollowerGraph.load(path).fingerprint == graph.fingerprint
    finally:
        tmp_path.chmod(0o755)


def test_a_cached_kernel_does_not_outlive_the_kernels_it_calls():
    from diffusion import _numba
    from diffusion.kernels.cascade import run_batch

    stamp = run_batch._cache._cache_file._source_stamp  # numba's own would be the date of one file
    assert stamp == _numba._kernels_stamp()
    assert stamp[0] == "diffusion"


# -- the suite itself --------------------------------------------------------------------------------------------------


def test_tests_that_need_the_real_data_are_counted(request, data):
    assert request.node.get_closest_marker("real_data")  # this test takes the fixture
    report = lambda name, *words: SimpleNamespace(nodeid=name, keywords=dict.fromkeys(words, 1))  # noqa: E731
    stats = {
        "passed": [report("a", "real_data"), report("b"), report("c", "real_data", "slow")],
        "failed": [report("d", "real_data")],
        "error": [report("d", "real_data")],  # its teardown failed as well
        "skipped": [report("e", "real_data"), report("f")],
        "warnings": [SimpleNamespace()],
    }
    assert count_real_data(stats) == (3, 1)


def test_only_tests_that_take_the_data_are_marked(request):
    assert request.node.get_closest_marker("real_data") is None


def test_the_oldest_versions_are_the_lower_bounds():
    assert oldest.constraints(["numpy>=1.26", "tomli-w >= 1.0"]) == ["numpy==1.26", "tomli-w==1.0"]
    for wrong in ("numpy", "numpy<2", "numpy>=1.26,<3"):
        with pytest.raises(SystemExit, match="no lower bound"):
            oldest.constraints([wrong])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert len(oldest.constraints(project["dependencies"])) == len(project["dependencies"])
