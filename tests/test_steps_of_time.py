"""Models in time beside what counts generations: growth, R with an end, guarantees, and rates too large to follow."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from strategies import random_graph

import diffusion as dif
from diffusion import models
from diffusion.errors import InputError
from diffusion.models.transmissibility import transmissibility
from diffusion.simulation import reproduction

GRAPH = random_graph(600, 1800, rng=2)


@pytest.mark.parametrize(
    ("make", "plain"),
    [
        (lambda w: models.SIR(0.8, width=w), models.OutbreakSize(0.8, generations=True)),
        (lambda w: models.SEIR(0.8, 2.0, width=w), models.OutbreakSize(0.8, generations=True)),
        (lambda w: models.CTIC(0.8, width=w), dif.IC()),
        (lambda w: models.OutbreakSize(0.8), models.OutbreakSize(0.8, generations=True)),
    ],
    ids=["SIR", "SEIR", "CTIC", "OutbreakSize"],
)
def test_growth_does_not_depend_on_the_grid_of_time(make, plain):
    graph = random_graph(8000, 24_000, rng=2).with_probabilities("constant", p=0.6)
    seeds = graph.nodes[:3].tolist()
    found = [dif.growth(dif.simulate(graph, seeds, model=make(w), runs=300, rng=1)) for w in (0.05, 2.0)]
    assert found[0].campaign == found[1].campaign
    assert found[0].R_by_step.equals(found[1].R_by_step)
    expected = dif.growth(dif.simulate(graph, seeds, model=plain, runs=300, rng=1))
    np.testing.assert_allclose(
        [found[0].campaign.value, found[0].campaign_predicted],
        [expected.campaign.value, expected.campaign_predicted],
        rtol=1e-6,
    )


@pytest.mark.parametrize("model", [models.SIS(0.5, end=4.0), models.Rumour(0.5)])
def test_models_without_generations_have_no_growth_of_a_campaign(model):
    assert model.steps_are_times
    found = dif.growth(dif.simulate(GRAPH, [0, 1], model=model, runs=50, rng=1))
    assert np.isnan(found.campaign.value)
    assert found.phase == "not applicable"


def test_an_end_lowers_r_and_the_probabilities_that_rankings_read():
    whole, short = models.SIR(1.0), models.SIR(1.0, end=0.1)
    alone = transmissibility(GRAPH, models.Exponential(1.0), models.Exponential(1.0), 0.1)[0]
    assert alone == pytest.approx(0.5 * -np.expm1(-0.2))  # the first of two clocks rings by .1, and it is the arc's
    assert short.effective_probabilities(GRAPH).probabilities.values[0] == pytest.approx(alone, rel=1e-6)
    found = reproduction(GRAPH, model=short, rng=1)
    assert found.predicted == pytest.approx(whole.reproduction_number(GRAPH) * alone / 0.5, rel=0.01)
    assert found.phase == "subcritical"


@pytest.mark.parametrize(
    ("transmission", "recovery"),
    [
        (models.Exponential(0.7), models.Exponential(1.3)),
        (models.Exponential(0.7), models.Gamma(1.0, 3.0)),
        (models.Weibull(1.0, 2.0), models.Fixed(0.8)),
        (models.Exponential(0.7), models.Exponential(0)),
        (models.Gamma(1.0, 2.0), models.LogNormal(1.0, 0.5)),
    ],
    ids=str,
)
def test_transmissibility_by_an_end_is_that_of_runs(transmission, recovery):
    star = dif.FollowerGraph.from_arrays([0] * 4, [1, 2, 3, 4], directed=True, edges_mean="influences")
    p = transmissibility(star, transmission, recovery, 0.9)[0]
    ways = models.SIR(transmission, recovery, end=0.9), models.OutbreakSize(transmission, recovery, within=0.9)
    for key, model in enumerate(ways):
        sizes = dif.simulate(star, [0], model=model, runs=20_000, rng=key).sizes - 1
        assert abs(sizes.mean() - 4 * p) < 4 * sizes.std() / 20_000**0.5


def test_a_greedy_choice_claims_of_negative_opinions_no_more_than_holds():
    graph = GRAPH.with_probabilities("constant", p=0.2)
    options = {"method": dif.seeding.CELF(runs=64), "candidates": graph.nodes[:6].tolist(), "rng": 1}
    for model, says in (
        (models.ICN(0.9), "submodular in the mean"),
        (models.SIS(0.3, end=2.0), "recovers earlier"),
        (models.Rumour(0.3), "stop"),
        (dif.Threshold(count=2), "wait for several others"),
    ):
        found = dif.select_seeds(graph, 2, model=model, **options)
        assert found.guarantee.startswith("no guarantee: ")
        assert says in found.guarantee
    assert "63 %" in dif.select_seeds(graph, 2, model=models.SIR(0.3), **options).guarantee


@pytest.mark.parametrize("model", [models.SIS(1e9, end=2.0), models.SIRS(1e9, 1.0, 1.0, end=2.0)])
def test_rates_with_too_many_contacts_are_refused_at_once(model):
    with pytest.raises(InputError, match=r"makes some .* contacts along an arc in one infection"):
        dif.simulate(GRAPH, [0], model=model, runs=1, rng=1)


def test_numbers_of_numpy_are_numbers():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        models.SIR(np.float32(0.3), end=np.float16(2))
        models.ICN(np.float32(0.3))


def test_strategies_are_not_compared_for_rivals():
    graph = GRAPH.with_probabilities("constant", p=0.2)
    with pytest.raises(InputError, match="best_response"):
        dif.compare_strategies(graph, [2], model="competitiveic", rng=1)
