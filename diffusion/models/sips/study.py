"""SIPS in a study: its table of a study file, with the survey's priors, and what the results say about it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._toml import known, listed, one_of, probability, typed
from ...errors import DiffusionError, InputError
from ...kernels.sips import ATTENDED, EXPOSED, FEED, FOLLOW
from ...results.intervals import mean_interval
from ..declared import Standing
from .parts import Complex, Delay, Feed, Funnel
from .priors import ENGAGEMENT, ENGAGEMENT_SOURCE, NOTES, SURVEY, engagement_eta
from .results import funnel_tables, ratio_interval

if TYPE_CHECKING:
    from .model import SIPS

__all__ = ["KEYS", "channels", "columns", "fixed", "from_table", "funnel", "posteriors", "standing", "to_table"]

T = TypeVar("T")

# Lists of these are crossed, and of identify.
CROSSED = {"attention": 0.2, "eta": 0.1, "identify_rate": 1.0, "feed": 0.0}
WORDS = {"attention": "graph", "eta": "engagement"}  # the probabilities of the arcs; see `_eta`
OF_FEED = ("own_community", "amplification", "cap", "weights")
STATED = {
    "sympathize": "prefers_genuine",
    "participate": "participates",
    "share": "has_posted",
}  # by item of the survey
KEYS = (
    *("attention", "note", "funnel", "eta", "identify_rate", *STATED),
    *("feed", *OF_FEED, "identify", "redraw", "delay", "posterior"),
)
UNCERTAIN = ("attention", "eta", "identify_rate", *STATED)  # probabilities, of which data may give posteriors
STEPS = ("sympathize", "identify", "participate", "share")


def from_table(table: Mapping[str, Any], path: str, make: Callable[..., T]) -> list[tuple[T, dict[str, Any]]]:
    """Cross the lists of a table: every model, made of its parameters, with its own table."""
    known(table, KEYS, f"{path}.")
    shared = {name: table[name] for name in ("cap", "weights", "redraw", "delay") if name in table}
    shared["own_community"] = typed(table, "own_community", float, f"{path}.", 0.5)
    shared["amplification"] = typed(table, "amplification", float, f"{path}.", 0.0)
    note = one_of(typed(table, "note", str, f"{path}.", "experience"), NOTES, f"{path}.note")
    funnel = table.get("funnel")
    if funnel is not None:
        if not isinstance(funnel, Mapping):
            example = "{ sympathize = 0.6, identify = 1, participate = 0.2, share = 0.1 }"
            raise InputError(f"{path}.funnel = {funnel!r}: give {example}")
        known(funnel, STEPS, f"{path}.funnel.")
        shared["funnel"] = {step: typed(funnel, step, float, f"{path}.funnel.", 1.0) for step in STEPS}
        for name in ("note", "eta", "identify_rate", *STATED):
            if name in table:
                raise InputError(f"{path}: funnel sets every step itself, so {name} has no place beside it")
    else:
        shared["note"] = note
        for name in STATED:  # in place of the survey's share
            if name in table:
                shared[name] = probability(typed(table, name, float, f"{path}."), f"{path}.{name}")
    numbers = {name: _numbers(table, name, path, default) for name, default in CROSSED.items()}
    if funnel is not None:
        del numbers["eta"], numbers["identify_rate"]
    if "posterior" in table:
        shared["posterior"] = _posterior(table, f"{path}.posterior")
    ways = [_way(way, f"{path}.identify") for way in listed(table.get("identify", "simple"))]
    crossed = itertools.product(*numbers.values(), ways)
    singles = [shared | dict(zip([*numbers, "identify"], values, strict=True)) for values in crossed]
    return [(_model(single, path, make), single) for single in singles]


def _numbers(table: Mapping[str, Any], name: str, path: str, default: float) -> list[Any]:
    values = listed(table.get(name, default))
    if not values:
        raise InputError(f"{path}.{name} is empty: give at least one number")
    word = WORDS.get(name)
    if any(isinstance(v, str) and v != word for v in values) and word is not None:
        raise InputError(f'{path}.{name} = {table[name]!r}: give numbers or "{word}"')
    return [v if isinstance(v, str) and v == word else typed({name: v}, name, float, f"{path}.") for v in values]


@dataclass(frozen=True)
class Quantiles:
    """A distribution by its quantiles at evenly spaced probabilities from 0 to 1, straight between them."""

    values: tuple[float, ...]

    def ppf(self, u: Any) -> Any:
        """Return quantiles, as distributions of scipy do."""
        return np.interp(u, np.linspace(0, 1, len(self.values)), self.values)


def _posterior(table: Mapping[str, Any], path: str) -> dict[str, dict[str, list[float]]]:
    """Distributions that data give to keys of the table, checked: Beta by its parameters, or any by its quantiles."""
    given, example = table["posterior"], "{ beta = [30, 70] }"
    if not isinstance(given, Mapping) or not given:
        raise InputError(f"{path} = {given!r}: give a distribution by key of the table, such as {{ eta = {example} }}")
    known(given, UNCERTAIN, f"{path}.")
    found = {}
    for name, of in given.items():
        at = f"{path}.{name}"
        if "funnel" in table and name != "attention":
            raise InputError(f"{at} has no place beside funnel, which sets every step itself")
        if name not in table:
            raise InputError(f"{at} has no base point: give {name} = ... in the table of the model, too")
        if len(listed(table[name])) != 1 or isinstance(listed(table[name])[0], str):
            raise InputError(f"{at} belongs to one number, and {name} = {table[name]!r}: give its base point")
        if not isinstance(of, Mapping) or len(of) != 1:
            raise InputError(
                f"{at} = {of!r}: give {example}, or {{ quantiles = [...] }} from the lowest to the highest"
            )
        known(of, ("beta", "quantiles"), f"{at}.")
        ((kind, values),) = of.items()
        parts = {f"{kind}[{i}]": value for i, value in enumerate(listed(values))}
        numbers = [typed(parts, part, float, f"{at}.") for part in parts]
        if kind == "beta" and not (len(numbers) == 2 and all(0 < x < math.inf for x in numbers)):
            raise InputError(f"{at}.beta = {values!r}: give the two parameters, above 0, of a Beta distribution")
        if kind == "quantiles" and not (len(numbers) > 1 and numbers[0] >= 0 and numbers[-1] <= 1 and _rise(numbers)):
            raise InputError(
                f"{at}.quantiles = {values!r}: give two or more probabilities that do not fall, at evenly spaced shares "
                "from 0 to 1"
            )
        found[name] = {kind: numbers}
    return found


def _rise(values: list[float]) -> bool:
    return all(a <= b for a, b in itertools.pairwise(values))


def _distribution(of: Mapping[str, Any]) -> Any:
    from scipy.stats import beta

    return Quantiles(tuple(of["quantiles"])) if "quantiles" in of else beta(*of["beta"])


def _way(way: Any, path: str) -> Any:
    if way == "simple":
        return way
    if not isinstance(way, Mapping) or set(way) != {"complex"}:
        raise InputError(f'{path} = {way!r} is unknown: give "simple" or {{ complex = 2 }}')
    try:
        return {"complex": Complex(way["complex"]).theta}
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _model(table: Mapping[str, Any], path: str, make: Callable[..., T]) -> T:
    try:
        if "funnel" in table:
            funnel = Funnel(**table["funnel"])
        else:
            eta = probability(_eta(table), f"{path}.eta")
            stated = {name: table.get(name, SURVEY[item].share) for name, item in STATED.items()}
            sympathize = table.get("sympathize", NOTES[table["note"]].sympathize)
            funnel = Funnel(sympathize, table["identify_rate"], eta * stated["participate"], eta * stated["share"])
        shown = table["feed"] > 0 or table["amplification"] > 0
        feed = Feed(table["feed"], **{name: table[name] for name in OF_FEED if name in table}) if shown else None
        delay = table.get("delay")
        if delay is not None:
            if not isinstance(delay, Mapping):
                raise InputError(f'delay = {delay!r} is not a table: give {{ kind = "gamma", mean = 24, shape = 2 }}')
            known(delay, ("kind", "mean", "shape", "bin"), f"{path}.delay.")
            delay = Delay(**delay)
        attention = None if table["attention"] == "graph" else table["attention"]
        way: Any = table["identify"] if isinstance(table["identify"], str) else Complex(table["identify"]["complex"])
        return make(attention, funnel, feed, way, table.get("redraw", False), delay)
    except DiffusionError as error:
        raise error if str(error).startswith(f"{path}.") else type(error)(f"{path}: {error}") from None


def _eta(table: Mapping[str, Any]) -> float:
    """Share of intentions acted upon; "engagement": that which gives the shares per follower of notes."""
    if table["eta"] != "engagement":
        return float(table["eta"])
    if table["attention"] == "graph":
        raise InputError('eta = "engagement" follows from attention: give attention as a number, or eta as one')
    return engagement_eta(table["attention"], note=table["note"], identify=table["identify_rate"])


def to_table(model: SIPS) -> dict[str, Any]:
    """Return the table that declares a model."""
    feed = model.feed if model.feed is not None else Feed()
    table: dict[str, Any] = {
        "attention": "graph" if model.attention is None else float(model.attention),
        "funnel": dict(zip(STEPS, model.funnel.values, strict=True)),
        "feed": float(feed.impressions),
        "amplification": float(feed.amplification),
        "own_community": float(feed.own_community),
        "identify": "simple" if model.identify == "simple" else model.parameters["identify"],
    }
    if dict(feed.weights) != dict(Feed().weights):
        table["weights"] = dict(feed.weights)
    if feed.cap is not None:
        table["cap"] = int(feed.cap)
    if model.redraw:
        table["redraw"] = True
    if model.delay is not None:
        delay = {"kind": model.delay.kind, "mean": float(model.delay.mean), "shape": float(model.delay.shape)}
        table["delay"] = delay | ({} if model.delay.bin is None else {"bin": float(model.delay.bin)})
    return table


def columns(model: SIPS, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the table of results says about a model."""
    nothing = float("nan")
    return {
        "identify": f"complex {model.identify.theta}" if isinstance(model.identify, Complex) else "simple",
        "feed": 0.0 if model.feed is None else float(model.feed.impressions),
        "eta": _eta(table) if "eta" in table else nothing,
        "attention": nothing if model.attention is None else float(model.attention),
        "rho": model.funnel.rho,
        "shares_per_follower": nothing
        if model.attention is None or model.theta
        else model.attention * model.funnel.rho,
    }


def fixed(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table with eta as a number, so that it stays where it is when attention is varied."""
    return dict(table) | ({"eta": _eta(table)} if table.get("eta") == "engagement" else {})


def posteriors(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return posteriors: those of the table's data, and Beta (Jeffreys) of stage probabilities that the survey sets."""
    ends = {}
    if "funnel" not in table:
        ends = {name: SURVEY[item].posterior for name, item in STATED.items() if name not in table}
    if "sympathize" in ends and NOTES[table.get("note", "experience")].sympathize != NOTES["experience"].sympathize:
        ends["sympathize"] = ends["sympathize"][::-1]  # of those who do not prefer genuine experience
    of_survey = {name: {"beta": parameters} for name, parameters in ends.items()}
    return {name: _distribution(of) for name, of in (of_survey | dict(table.get("posterior", {}))).items()}


def standing(model: SIPS, table: Mapping[str, Any]) -> list[Standing]:
    """Return every parameter with its value and where it comes from."""
    funnel, note = model.funnel, NOTES.get(table.get("note", ""))
    attention = "of each arc" if model.attention is None else model.attention
    p_S = Standing("p_S", funnel.sympathize)
    if note is not None and "sympathize" not in table:
        p_S = Standing("p_S", funnel.sympathize, note.standing, note.reason)  # type: ignore[arg-type]
    rows = [
        Standing("a, attention of a follower", attention, note="not measured by the source's survey"),
        p_S,
        Standing("p_I", funnel.identify, note="nothing in the survey measures Identify"),
        _surveyed("p_P", funnel.participate, table, "participate"),
        _surveyed("p_X", funnel.share, table, "share"),
    ]
    if model.feed is not None:
        scores = "scores " + ", ".join(f"{name} {score:g}" for name, score in model.feed.weights.items())
        rows += [
            Standing("m0, feed exposures of a note", model.feed.impressions),
            Standing("h, feed within the community", model.feed.own_community),
            Standing("g, feed per engagement score", model.feed.amplification, note=f"{scores} [prior]"),
        ]
    if isinstance(model.identify, Complex):
        rows.append(Standing("theta, distinct sharers", model.identify.theta, note="replaces p_I"))
    if model.delay is not None:
        rows.append(Standing("delay of a share, hours", f"{model.delay.kind}, mean {model.delay.mean:g}"))
    of_data = table.get("posterior", {})
    steps = {"attention": 0, "sympathize": 1, "identify_rate": 2, "participate": 3, "share": 4}
    for name, of in of_data.items():
        low, high = (float(_distribution(of).ppf(u)) for u in (0.025, 0.975))
        text = f"{name} from data, 95 % of its posterior {low:.3g} to {high:.3g}"
        for row in [3, 4] if name == "eta" else [steps[name]]:
            rows[row] = Standing(rows[row].name, rows[row].value, "prior", text)
    return rows


def _surveyed(name: str, value: float, table: Mapping[str, Any], step: str) -> Standing:
    if "eta" not in table or step in table:
        return Standing(name, value)
    asked = SURVEY[STATED[step]]
    source = f"{asked.agreed} of {asked.asked} ({asked.question}), stated intention, times eta"
    if table["eta"] == "engagement":
        rate = ENGAGEMENT["shares"].pooled
        source += f" = {_eta(table):.3g}, at which a rho is {rate:.3g} shares per follower: {ENGAGEMENT_SOURCE}"
    return Standing(name, value, "prior", source)


def channels(tally: NDArray[np.int32], n_seeds: int, n_nodes: int, confidence: float) -> dict[str, float]:
    """Sharers, share of reach first met through the feed, and redundancy."""
    sharers = tally[..., EXPOSED + 4].sum(axis=(1, 2)) + n_seeds
    mean, _, low, high = mean_interval(sharers, confidence, (n_seeds, n_nodes))
    exposed = tally[..., EXPOSED].sum(axis=1)
    share = ratio_interval(exposed[:, FEED], exposed.sum(axis=1) + n_seeds, confidence)
    attended = tally[..., ATTENDED].sum()
    return {
        **dict(zip(("sharers", "sharers_low", "sharers_high"), (mean, low, high), strict=True)),
        **dict(zip(("feed_share", "feed_share_low", "feed_share_high"), share, strict=True)),
        "redundancy": float(1 - exposed.sum() / attended) if attended else float("nan"),
    }


def funnel(tally: NDArray[np.int32], most: int, confidence: float) -> pd.DataFrame:
    """Users by stage, for all channels and by channel of first exposure, creators left out."""
    users = tally[..., EXPOSED:].sum(axis=1)
    groups = {"all": users.sum(axis=1), "follow": users[:, FOLLOW], "feed": users[:, FEED]}
    parts = funnel_tables(groups, confidence, most)
    return pd.concat(parts, keys=list(groups), names=["channel"]).reset_index().drop(columns="runs")
