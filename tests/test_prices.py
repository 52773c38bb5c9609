"""Price fits: least squares against scipy and a planted law, rows dropped with reasons, and the real price list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from strategies import random_graph

import diffusion as dif
from diffusion.errors import InputError, NotFoundError
from diffusion.seeding.prices import PriceFit, fit_prices


def creators(n: int = 400, noise: float = 0.4, rng: int = 1) -> pd.DataFrame:
    draw = np.random.default_rng(rng)
    fans = np.exp(draw.normal(7, 1.5, n))
    likes = fans**0.8 * np.exp(draw.normal(1, 0.7, n))
    rmb = np.exp(-1.0 + 0.7 * np.log(fans) + 0.3 * np.log(likes) + draw.normal(0, noise, n))
    return pd.DataFrame({"fans": fans, "likes": likes, "rmb": rmb})


def test_a_law_without_noise_is_found_exactly():
    fit = fit_prices(creators(noise=0.0), followers="fans", engagement="likes", price="rmb")
    assert fit.coefficients["value"].to_numpy() == pytest.approx([-1.0, 0.7, 0.3], abs=1e-10)
    assert fit.r_squared == pytest.approx(1.0)
    table = creators(5, rng=2)
    want = np.exp(-1.0) * table["fans"] ** 0.7 * table["likes"] ** 0.3
    assert fit.predict(table["fans"], table["likes"]) == pytest.approx(want.to_numpy())


def test_one_column_is_the_regression_of_scipy():
    table = creators()
    fit = fit_prices(table, followers="fans", price="rmb", confidence=0.9)
    want = stats.linregress(np.log(table["fans"]), np.log(table["rmb"]))
    row = fit.coefficients.loc["followers"]
    assert [row["value"], row["se"], row["p_value"]] == pytest.approx([want.slope, want.stderr, want.pvalue], rel=1e-9)
    first = fit.coefficients.loc["intercept"]
    assert [first["value"], first["se"]] == pytest.approx([want.intercept, want.intercept_stderr], rel=1e-9)
    assert fit.r_squared == pytest.approx(want.rvalue**2)
    half = stats.t.ppf(0.95, len(table) - 2) * want.stderr
    assert [row["low"], row["high"]] == pytest.approx([want.slope - half, want.slope + half])
    assert fit.alone == pytest.approx((want.intercept, want.slope))


def test_intervals_hold_the_truth_as_often_as_they_say():
    hits = np.zeros(3)
    for i in range(400):
        fit = fit_prices(creators(30, rng=i), followers="fans", engagement="likes", price="rmb", confidence=0.9)
        truth = np.array([-1.0, 0.7, 0.3])
        hits += (fit.coefficients["low"] <= truth) & (truth <= fit.coefficients["high"])
    assert (np.abs(hits / 400 - 0.9) <= 4 * np.sqrt(0.09 / 400)).all()


def test_without_engagement_the_usual_one_is_taken():
    table = creators()
    both = fit_prices(table, followers="fans", engagement="likes", price="rmb")
    alone = fit_prices(table, followers="fans", price="rmb")
    assert both(table["fans"]) == pytest.approx(alone(table["fans"]))
    assert alone([0, 0.5]) == pytest.approx(alone([1, 1]))  # the logarithm begins at 1
    with pytest.raises(InputError, match="does not use engagement"):
        alone.predict([10], [10])


def test_rows_are_dropped_with_their_reason():
    table = creators(20).astype(object)
    table.loc[0, "rmb"] = "unknown"
    table.loc[1, "rmb"] = None
    table.loc[2, "rmb"] = 0
    table.loc[3, "fans"] = -5
    table.loc[4, ["fans", "rmb"]] = [np.nan, 0]  # counted once
    table.loc[5, "likes"] = np.inf
    fit = fit_prices(table, followers="fans", engagement="likes", price="rmb")
    assert fit.n == 14
    assert fit.dropped == {
        "followers missing or no number": 1,
        "followers not above 0": 1,
        "engagement missing or no number": 1,
        "price missing or no number": 2,
        "price not above 0": 1,
    }
    kept = fit_prices(table.iloc[6:], followers="fans", engagement="likes", price="rmb")
    assert kept.coefficients["value"].tolist() == fit.coefficients["value"].tolist()
    assert kept.dropped == {}


def test_a_fit_is_given_as_prices():
    graph = random_graph(300, 2000, rng=5).with_probabilities("weighted_cascade")
    fit = fit_prices(creators(), followers="fans", price="rmb")
    found = dif.select_seeds(graph, budget=30.0, prices=fit, method="degree")
    paid = fit(graph.out_degree[list(found.seeds)].to_numpy())
    assert found.cost == pytest.approx(paid.sum())
    assert found.cost <= 30


def test_what_a_fit_shows():
    fit = fit_prices(creators(), followers="fans", engagement="likes", price="rmb")
    assert fit.to_pandas()["term"].tolist() == ["intercept", "followers", "engagement"]
    assert repr(fit).startswith("PriceFit on 400 creators (0 rows dropped), R^2 0.")
    assert fit.plot().get_xlabel() == "followers"
    assert fit.provenance["columns"] == {"followers": "fans", "engagement": "likes", "price": "rmb"}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"followers": "fan"}, NotFoundError, "followers='fan' is no column.*Did you mean 'fans'"),
        ({"engagement": "x"}, NotFoundError, "engagement='x'"),
        ({"engagement": "fans"}, InputError, "do not tell the coefficients apart"),
        ({"table": creators().iloc[:3]}, InputError, "3 creators are too few for 2 coefficients: 4 are needed"),
        ({"table": creators().assign(rmb=-1)}, InputError, "0 creators are too few.*price not above 0: 400"),
        ({"table": creators().assign(fans=10)}, InputError, "one is constant"),
        ({"table": [1, 2]}, InputError, "the table is a list"),
        ({"confidence": 1.0}, InputError, "confidence=1.0"),
    ],
)
def test_mistakes(options: dict[str, Any], error: type[Exception], message: str):
    given: dict[str, Any] = {"table": creators(), "followers": "fans", "price": "rmb"} | options
    with pytest.raises(error, match=message):
        fit_prices(given.pop("table"), **given)


@pytest.mark.parametrize("wrong", [[-1], [np.nan], ["a"], [np.inf]])
def test_wrong_followers(wrong: Any):
    with pytest.raises(InputError, match="followers holds"):
        fit_prices(creators(), followers="fans", price="rmb")(wrong)
    with pytest.raises(InputError, match=r"shape \(2,\) and engagement \(1,\)"):
        fit_prices(creators(), followers="fans", engagement="likes", price="rmb").predict([1, 2], [1])


def real(data: Callable[[str], Path], *, confirmed: bool, engagement: str | None = None) -> PriceFit:
    table = pd.read_csv(data("xhs-creators.csv.gz"))
    if confirmed:
        table = table[table["price_confirmed"] == 1]
    return fit_prices(table, followers="fans", engagement=engagement, price="price_picture_note_rmb")


def test_prices_of_real_creators(data: Callable[[str], Path]):
    """Of 101 creators two have no price, one of them as text, and one has 0; most others are a floor of 10 RMB."""
    fit = real(data, confirmed=False)
    assert (fit.n, fit.dropped) == (98, {"price missing or no number": 2, "price not above 0": 1})
    assert fit.coefficients.loc["followers", "value"] == pytest.approx(1.0739, abs=1e-4)
    assert fit.coefficients.loc["followers", ["low", "high"]].tolist() == pytest.approx([0.896, 1.252], abs=2e-3)
    assert fit.r_squared == pytest.approx(0.599, abs=1e-3)
    more = real(data, confirmed=False, engagement="interaction")
    assert more.coefficients.loc["engagement", "low"] < 0 < more.coefficients.loc["engagement", "high"]
    # Confirmed prices alone are too few to say how price grows with followers.
    few = real(data, confirmed=True)
    assert few.n == 13
    assert few.coefficients.loc["followers", "low"] < 0 < few.coefficients.loc["followers", "high"]
