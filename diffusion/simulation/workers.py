"""Work on the workers of an executor: the graph is a file that each worker opens once, a task is a path, a hash and a range."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import importlib
import importlib.metadata
import os
import pickle
import shutil
import socket
import sys
import tempfile
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from .._files import ensure_folder
from .._version import __version__
from ..errors import DiffusionError, InputError, WorkerError
from ..graph.follower_graph import FollowerGraph
from ..models.program import BATCH

__all__ = ["Ahead", "Job", "Work", "Workers", "this_worker", "workers_of"]

TASK_SECONDS = 2.0  # a task should take so long: what it costs to send one is milliseconds
KEPT = 8  # files that a worker keeps open
PACKAGES = ("numba", "numpy")  # whose versions may change numbers

T = TypeVar("T")


class Work(Protocol):
    """What a job does: pickled once for all of its tasks."""

    def open(self, graph: Any) -> Callable[[int, int], Any]:
        """Prepare it on the graph of a worker -> function of a range, first ... last - 1."""


# --- files that workers open -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class File:
    """A file that must hold what it held when the task was made."""

    path: str
    sha256: str


@cache
def _folder() -> Path:
    """Return the folder of the files of this process, which goes when the process ends."""
    base = os.environ.get("DIFFUSION_SHARED")
    folder = tempfile.mkdtemp(prefix="diffusion-", dir=None if base is None else ensure_folder(base))
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # not a forked child
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return Path(folder)


_graph_files: weakref.WeakKeyDictionary[Any, File] = weakref.WeakKeyDictionary()


def _digest(path: str | Path) -> str:
    with open(path, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _written(write: Callable[[Path], object]) -> File:
    """Write a file of its own, which nothing else shares."""
    handle, name = tempfile.mkstemp(dir=_folder())
    os.close(handle)
    write(Path(name))
    return File(name, _digest(name))


def _file_of(graph: FollowerGraph) -> File:
    """Return the file of a graph, written when it is first asked for."""
    known = _graph_files.get(graph)
    if known is None or not Path(known.path).exists():
        try:
            known = _written(lambda path: graph.save(path))
        except InputError:  # labels or attributes that have no column type, or arcs that come and go
            known = _written(lambda path: path.write_bytes(_pickled(graph)))
        _graph_files[graph] = known
    return known


def _pickled(value: Any) -> bytes:
    """Pickle by cloudpickle where it is installed: it also takes models that were defined in a notebook."""
    dumps: Callable[..., bytes] = pickle.dumps
    with contextlib.suppress(ImportError):
        dumps = importlib.import_module("cloudpickle").dumps
    try:
        text = dumps(value, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            f"what the workers of the executor need cannot be pickled ({error}): define models at the top of a module, "
            "or install cloudpickle"
        ) from None
    return text


# --- on a worker -----------------------------------------------------------------------------------------------------

_open_files: OrderedDict[tuple[File, ...], tuple[Any, Any]] = OrderedDict()
_opening = threading.Lock()


def this_worker() -> str:
    """Name of the process that runs a task, for messages."""
    name = f"process {os.getpid()} on {socket.gethostname()}"
    if "distributed" in sys.modules:
        try:
            return f"the worker {sys.modules['distributed'].get_worker().address} ({name})"
        except ValueError:  # not in a task of Dask
            pass
    return f"the worker {name}"


@cache
def _versions() -> dict[str, str]:
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"diffusion": __version__, "Python": ".".join(map(str, sys.version_info[:2])), **found}


def _opened(files: tuple[File, ...], read: Callable[[str], T]) -> T:
    """Return what was read from the first file, or read it now; the others are what it depends on."""
    file = files[0]
    with _opening:
        try:
            status = os.stat(file.path)
            mark = (status.st_mtime_ns, status.st_size, status.st_ino)
            known = _open_files.get(files)
            if known is not None and known[0] == mark:
                _open_files.move_to_end(files)
                return known[1]  # type: ignore[no-any-return]
            there = _digest(file.path)
        except OSError as error:
            raise WorkerError(
                f"{this_worker()} cannot open '{file.path}' ({error.strerror}): files for workers must lie where all of "
                "them see them. Set DIFFUSION_SHARED to a folder that is shared, before the first call with executor="
            ) from None
        if there != file.sha256:
            raise WorkerError(
                f"the file '{file.path}' changed while tasks were under way: {this_worker()} finds the sha256 "
                f"{there[:12]}..., and the task was made for {file.sha256[:12]}...; nothing that was read from it is "
                "counted. Let nobody write there, and call again"
            )
        value = read(file.path)
        _open_files[files] = mark, value
        while len(_open_files) > KEPT:
            _open_files.popitem(last=False)
        return value


def _read_graph(path: str) -> Any:
    with open(path, "rb") as opened:
        arrow = opened.read(6) == b"ARROW1"
    return FollowerGraph.load(path) if arrow else pickle.loads(Path(path).read_bytes())


@dataclass(frozen=True)
class Task:
    """What travels to a worker, beside a range."""

    job: File
    graph: File | None
    versions: dict[str, str]


def _perform(task: Task, first: int, last: int) -> tuple[float, Any]:
    """Do one range on a worker -> seconds without opening files, result."""
    mine, asked = _versions(), task.versions
    if mine != asked:
        names = [name for name in asked if mine.get(name) != asked[name]]
        here, there = (", ".join(f"{name} {of.get(name)}" for name in names) for of in (mine, asked))
        raise WorkerError(
            f"{this_worker()} has {here}, and the process that called has {there}: other versions may give other numbers. "
            "Install the same ones on all workers"
        )
    files = (task.job,) if task.graph is None else (task.job, task.graph)
    graph = None if task.graph is None else _opened((task.graph,), _read_graph)
    run = _opened(files, lambda path: pickle.loads(Path(path).read_bytes()).open(graph))
    start = time.perf_counter()
    result = run(first, last)
    return time.perf_counter() - start, result


# --- in the process that calls ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Workers:
    """An executor and what is known of it."""

    executor: Any

    @property
    def slots(self) -> int:
        """Tasks that it does at once, as far as it says so."""
        client = getattr(self.executor, "_client", None)  # of Dask
        if client is not None:
            return max(int(sum(client.nthreads().values())), 1)
        for name in ("num_workers", "_max_workers"):
            count = getattr(self.executor, name, None)
            if isinstance(count, int) and count > 0:
                return count
        return os.cpu_count() or 1

    def job(self, work: Work, graph: FollowerGraph | None = None, *, unit: str = "run") -> Job:
        """Write down what is to be done, for all tasks of it."""
        file = _written(lambda path: path.write_bytes(_pickled(work)))
        return Job(self, Task(file, None if graph is None else _file_of(graph), _versions()), unit)


def workers_of(executor: Any) -> Workers | None:
    """Return the workers of what was given as ``executor=``; None for None.

    Parameters
    ----------
    executor : object or None
        With ``submit`` as PEP 3148 says, or with ``get_executor``, as a Dask client.

    Returns
    -------
    Workers or None

    Raises
    ------
    InputError
        Anything else.
    """
    if executor is None or isinstance(executor, Workers):
        return executor
    if not isinstance(executor, type):
        if callable(getattr(executor, "get_executor", None)):
            return Workers(executor.get_executor(pure=False, retries=3))
        if callable(getattr(executor, "submit", None)):
            return Workers(executor)
    what = f"the class {executor.__name__}" if isinstance(executor, type) else f"of type {type(executor).__name__}"
    raise InputError(
        f"executor is {what}, which takes no tasks: give an executor, such as "
        "concurrent.futures.ProcessPoolExecutor(4), or a Dask client"
    )


class Job:
    """Something to do for every index of a range, in tasks of a second or more."""

    def __init__(self, workers: Workers, task: Task, unit: str) -> None:
        self._workers, self._task, self._unit = workers, task, unit
        self._pace = 0.0  # seconds a step, once known
        weakref.finalize(self, Path(task.job.path).unlink, missing_ok=True)

    def parts(
        self,
        first: int,
        limit: int,
        *,
        step: int = 1,
        ends: list[int] | None = None,
        ahead: bool = False,
        in_order: bool = True,
    ) -> Generator[tuple[int, int, Any], None, None]:
        """Yield (a, b, result of a ... b - 1); no result may depend on where the range is cut.

        Parameters
        ----------
        first, limit : int
        step : int
            Tasks are cut at multiples of it after `first`.
        ends : list of int, optional
            The cuts, instead.
        ahead : bool
            The consumer may stop early: begin with short tasks.
        in_order : bool
            False: yield parts as they are done.
        """
        slots = self._workers.slots
        pending: dict[Future[Any], tuple[int, int]] = {}
        done: dict[int, tuple[int, Any]] = {}
        cuts = None if ends is None else iter(ends)
        at = out = first
        try:
            while out < limit:
                while at < limit and len(pending) <= slots and len(pending) + len(done) <= 4 * slots:
                    if cuts is not None:
                        end = next(cuts)
                    else:
                        steps = -(-(limit - at) // step)
                        most = (at - first) // step if ahead else steps // (2 * slots)
                        fit = int(TASK_SECONDS / self._pace) if self._pace else 1
                        end = min(at + step * max(min(fit, most), 1), limit)
                    pending[self._submit(at, end)] = at, end
                    at = end
                first_done = out if in_order else next(iter(done), out)
                if first_done in done:
                    end, result = done.pop(first_done)
                    yield first_done, end, result
                    out += end - first_done
                    continue
                for future in sorted(wait(pending, return_when=FIRST_COMPLETED).done, key=pending.__getitem__):
                    a, b = pending.pop(future)
                    seconds, result = self._result(future, a, b)
                    self._pace = seconds * step / (b - a)
                    done[a] = b, result
        finally:
            for future in pending:
                future.cancel()

    def _submit(self, a: int, b: int) -> Future[Any]:
        try:
            future: Future[Any] = self._workers.executor.submit(_perform, self._task, a, b)
        except RuntimeError as error:  # shut down, or broken before
            raise self._failed(error, a, b) from error
        return future

    def _result(self, future: Future[Any], a: int, b: int) -> tuple[float, Any]:
        try:
            found: tuple[float, Any] = future.result()
        except DiffusionError:
            raise
        except Exception as error:
            raise self._failed(error, a, b) from error
        return found

    def _failed(self, error: Exception, a: int, b: int) -> WorkerError:
        why = "the error came from the worker, or from the executor"
        if isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker":
            why = "a worker died, most often for want of memory: give the workers more of it, or use fewer of them"
        elif isinstance(error, CancelledError):
            why = "the tasks were cancelled, as when the scheduler or the client is closed"
        return WorkerError(
            f"the executor gave no result for {self._unit}s {a:,} to {b - 1:,} ({type(error).__name__}: {error}): {why}. "
            "Nothing was counted twice, and the same call with another executor gives the same numbers"
        )


class Ahead(Generic[T]):
    """Results of batches of runs, taken range by range, while workers are ahead of what was taken."""

    def __init__(self, job: Job, limit: int, *, join: Callable[[list[T]], T], ahead: bool) -> None:
        self._parts = job.parts(0, limit, step=BATCH, ahead=ahead)
        self._join = join
        self._held: list[T] = []  # one a batch

    def take(self, first: int, last: int) -> T:
        """Return the result of runs first ... last - 1; ranges follow each other and end at multiples of `BATCH`."""
        wanted = -(-(last - first) // BATCH)
        while len(self._held) < wanted:
            self._held += next(self._parts)[2]
        batches, self._held = self._held[:wanted], self._held[wanted:]
        return self._join(batches)

    def close(self) -> None:
        """Cancel what is under way."""
        self._parts.close()
