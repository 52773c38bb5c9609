"""Watts' window, Gleeson-Cahalane and two communities: the published numbers, naive twins, limits and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffusion as dif
from diffusion import theory
from diffusion.errors import DiffusionError, InputError
from diffusion.theory import thresholds

# -- Watts' window -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phi", "low", "high", "digits"),
    [(0.18, 1.0207, 5.7647, 4), (0.20, 1.0207, 5.7647, 4), (0.10, 1.0000, 13.659, 3), (0.15, 1.0037, 7.477, 3)]
    + [(phi, 1.1141, 3.8631, 4) for phi in (0.22, 0.23, 0.25)],
)
def test_windows(phi, low, high, digits):
    found = theory.watts_window(phi)
    assert found.low == pytest.approx(low, abs=5.1e-5)
    assert found.high == pytest.approx(high, abs=0.51 * 10**-digits)
    assert (low + high) / 2 in found
    assert high + 0.01 not in found
    for z in (found.low, found.high):
        assert theory.cascade_condition(z, phi) == pytest.approx(1, abs=1e-6)


def test_no_window_above_a_quarter():
    for phi in (0.2501, 0.26, 0.4, 1.0):
        found = theory.watts_window(phi)
        assert found.empty
        assert not found
        assert 2.0 not in found
        assert found.to_pandas().empty
        assert "empty" in repr(found)
    assert theory.watts_window(0.25)
    assert not theory.watts_window(0.25, strict=True)


def test_strict_thresholds_lose_the_degree_that_is_just_enough():
    assert theory.watts_window(0.2, strict=True).high == pytest.approx(theory.watts_window(0.25).high)
    assert theory.watts_window(0.18, strict=True).high == pytest.approx(theory.watts_window(0.18).high)


def test_small_thresholds_have_wide_windows():
    found = theory.watts_window(0.002)
    assert found.low == pytest.approx(1, abs=1e-9)
    assert 500 < found.high < 700


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=12), st.floats(0.05, 1))
def test_condition_is_the_sum(weights, phi):
    p = np.array(weights) / sum(weights)
    k = np.arange(p.size)
    vulnerable = np.array([d == 0 or 1 / d >= phi - 1e-12 for d in k])
    want = (k * (k - 1) * p)[vulnerable].sum() / (k @ p)
    assert theory.cascade_condition(p, phi) == pytest.approx(want, rel=1e-9)


def test_condition_on_regular_degrees():
    assert theory.cascade_condition([0, 0, 0, 1.0], 0.3) == 2
    assert theory.cascade_condition([0, 0, 0, 1.0], 0.34) == 0
    assert theory.cascade_condition([1.0], 0.3) == 0


# -- Gleeson and Cahalane ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("z", "r0", "share", "digits"),
    [(4, 1e-2, 0.980388, 6), (6, 1e-4, 0.00238, 5), (6, 1e-2, 0.99751, 5), (10, 1e-2, 0.01968, 5)],
)
def test_gleeson_cahalane_numbers(z, r0, share, digits):
    assert theory.gleeson_cahalane(z, 0.18, r0).share == pytest.approx(share, abs=0.51 * 10**-digits)


def naive_adoption(p, phi, r0, strict):
    """The equations as printed, with math.comb, iterated plainly."""

    def adopts(m, k):
        return m / k > phi + 1e-12 if strict else m / k >= phi - 1e-12

    def binomial(n, x, k):
        return sum(math.comb(n, m) * x**m * (1 - x) ** (n - m) for m in range(n + 1) if m and adopts(m, k))

    z = sum(k * q for k, q in enumerate(p))
    q, shares = r0, [r0]
    for _ in range(3000):
        shares.append(r0 + (1 - r0) * sum(p[k] * binomial(k, q, k) for k in range(1, len(p))))
        new = r0 + (1 - r0) * sum(k / z * p[k] * binomial(k - 1, q, k) for k in range(1, len(p)))
        if abs(new - q) < 1e-13:
            return new, shares
        q = new
    return q, shares


@settings(max_examples=30)
@given(
    st.lists(st.floats(0.01, 1), min_size=2, max_size=8),
    st.floats(0.05, 1),
    st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0]),
    st.booleans(),
)
def test_the_equations_as_printed(weights, phi, r0, strict):
    p = np.array(weights) / sum(weights)
    found = theory.gleeson_cahalane(p, phi, r0, strict=strict)
    q, shares = naive_adoption(p.tolist(), phi, r0, strict)
    assert found.edge_active == pytest.approx(q, abs=1e-8)
    assert found.share == pytest.approx(shares[-1], abs=1e-8)
    n = min(len(shares), found.by_step.size, 20)
    assert found.by_step[:n] == pytest.approx(np.array(shares[:n]), abs=1e-10)


def test_limits_of_adoption():
    assert theory.gleeson_cahalane(4.0, 0.18, 0.0).share == 0
    assert theory.gleeson_cahalane(4.0, 0.18, 1.0).share == 1
    assert theory.gleeson_cahalane([1.0], 0.5, 0.2).share == pytest.approx(0.2)
    # One active neighbour is always enough: all of the component, so the giant one and what seeds it by chance.
    assert theory.gleeson_cahalane(2.0, 1e-3, 1e-9).share == pytest.approx(theory.giant_component(2.0), abs=1e-6)
    assert (np.diff(theory.gleeson_cahalane(6.0, 0.18, 0.01).by_step) >= 0).all()


def test_adoption_by_simulation():
    """z = 4, phi = .18, 1 % seeds: deterministic on one graph of 50,000 nodes; sampling error about 0.001."""
    rng = np.random.default_rng(5)
    n = 50_000
    g = dif.FollowerGraph.from_arrays(*rng.integers(0, n, (2, 2 * n)), nodes=range(n), directed=False)
    seeds = rng.choice(n, n // 100, replace=False)
    found = dif.simulate(g, seeds, model=dif.Threshold(fraction=0.18), runs=1)
    want = theory.gleeson_cahalane(4.0, 0.18, 0.01)
    assert found.sizes[0] / n == pytest.approx(want.share, abs=0.004)
    by_step = found.new_by_step[0].cumsum() / n
    assert by_step[:8] == pytest.approx(want.by_step[:8], abs=0.02)


def test_it_says_when_equations_do_not_settle(monkeypatch):
    monkeypatch.setattr(thresholds, "_STEPS", 3)
    with pytest.raises(DiffusionError, match="within rounding of a"):
        theory.gleeson_cahalane(6.0, 0.18, 1e-4)


# -- two communities ---------------------------------------------------------------------------------------------------


def total(mu, **options):
    return theory.two_communities(0.4, 20.0, mu, 0.34, **options).total


def test_optimal_modularity_of_nematzadeh():
    assert total(0.20) == pytest.approx(0.52, abs=0.005)
    assert total(0.32) == pytest.approx(0.203, abs=0.0015)
    assert total(0.50) == pytest.approx(0.18, abs=0.005)
    assert theory.mixing_window(0.4, 20.0, 0.34).tolist() == [k / 100 for k in range(21, 31)]


def test_the_window_of_the_strict_inequality():
    assert theory.mixing_window(0.4, 20.0, 0.34, strict=True).tolist() == [k / 100 for k in range(22, 28)]


def test_optimal_modularity_of_peng():
    values = {mu: theory.two_communities(0.35, 10.0, mu, 0.2).total for mu in (0.12, 0.25, 0.5)}
    assert values[0.12] == pytest.approx(0.53, abs=0.005)
    assert values[0.25] == pytest.approx(0.165, abs=0.001)
    assert values[0.5] == pytest.approx(0.1234, abs=5e-5)
    assert theory.mixing_window(0.35, 10.0, 0.2).tolist() == [k / 100 for k in range(13, 25)]


def test_without_communities_it_is_gleeson_cahalane():
    for strict in (False, True):
        found = theory.two_communities(0.18, 5.0, 0.3, 0.02, 0.02, strict=strict)
        alone = theory.gleeson_cahalane(5.0, 0.18, 0.02, strict=strict).share
        assert found.a == pytest.approx(alone, abs=1e-10)
        assert found.b == pytest.approx(alone, abs=1e-10)
    apart = theory.two_communities(0.18, 5.0, 0.0, 0.02)
    assert apart.a == pytest.approx(theory.gleeson_cahalane(5.0, 0.18, 0.02).share, abs=1e-10)
    assert apart.b == 0
    assert theory.two_communities(0.18, 5.0, 1.0, 0.3).by_step[1, 0] == pytest.approx(0.3)  # all edges cross


def communities(n, z, mu, rng):
    """Two random communities: a share mu of edges between them, and who belongs to A."""
    m = round(n * z / 2)
    crossing = round(mu * m)
    inside = rng.integers(0, n // 2, (2, m - crossing)) + rng.integers(0, 2, m - crossing) * (n // 2)
    across = np.stack([rng.integers(0, n // 2, crossing), rng.integers(n // 2, n, crossing)])
    return dif.FollowerGraph.from_arrays(*np.hstack([inside, across]), nodes=range(n), directed=False)


@pytest.mark.parametrize(("mu", "fraction"), [(0.15, 0.4), (0.25, 0.4), (0.5, 0.4), (0.29, 0.4), (0.29, 0.4 + 1e-7)])
def test_two_communities_by_simulation(mu, fraction):
    """40,000 nodes in place of 131,056, away from the ends of the window: sampling error about 0.003."""
    rng = np.random.default_rng(7)
    n = 40_000
    g = communities(n, 20, mu, rng)
    seeds = rng.choice(n // 2, round(0.17 * n), replace=False)
    found = dif.simulate(g, seeds, model=dif.Threshold(fraction=fraction), runs=1).sizes[0] / n
    want = total(mu, strict=fraction > 0.4)
    assert found == pytest.approx(want, abs=0.012)


def test_minimal_seeds_are_fewest_inside_the_window():
    mixing = [0.0, 0.1, 0.21, 0.25, 0.4, 0.5]
    found = theory.minimal_seed_fraction(0.4, 20.0, mixing, tol=1e-3)
    assert np.isnan(found[:2]).all()  # too few edges cross: the whole of A cannot make up 0.4 of the neighbours in B
    assert max(found[2:4]) < 0.17 < min(found[4:])
    for mu, share in zip(mixing[2:], found[2:], strict=True):
        assert theory.two_communities(0.4, 20.0, mu, 2 * share).total > 0.99
        assert theory.two_communities(0.4, 20.0, mu, 2 * (share - 1.1e-3)).total <= 0.99


def test_rows_and_plot():
    found = theory.two_communities(0.4, 20.0, 0.25, 0.34)
    assert found.to_pandas().columns.tolist() == ["total", "a", "b", "mixing"]
    assert "total 1" in repr(found)
    assert len(found.plot().lines) == 2
    assert theory.gleeson_cahalane(4.0, 0.18, 0.01).to_pandas().shape == (1, 3)
    assert theory.watts_window(0.18).to_pandas().shape == (1, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.watts_window(0), "phi=0"),
        (lambda: theory.watts_window(1.2), "at most 1"),
        (lambda: theory.cascade_condition([0.5], 0.2), "sums to 0.5"),
        (lambda: theory.gleeson_cahalane(4.0, 0.18, -0.1), "r0=-0.1"),
        (lambda: theory.gleeson_cahalane("4", 0.18, 0.1), "array of numbers|dimension"),
        (lambda: theory.two_communities(0.4, 20.0, 1.1, 0.3), "mixing=1.1"),
        (lambda: theory.two_communities(0.4, 20.0, 0.2, 3), "seeds_in_a=3"),
        (lambda: theory.mixing_window(0.4, 20.0, 0.3, mixing=[2.0]), "out of range"),
        (lambda: theory.minimal_seed_fraction(0.4, 20.0, 0.2), "one dimension"),
        (lambda: theory.minimal_seed_fraction(0.4, 20.0, [0.2], tol=0), "tol=0"),
    ],
)
def test_bad_input_is_one_clear_error(call, message):
    with pytest.raises(InputError, match=message):
        call()
