"""Steps of a time grid: ends of steps belong to them, rounding does not carry past them, and too late is too late."""

from __future__ import annotations

import math

import numpy as np
import pytest

import diffusion as dif
from diffusion.errors import InputError
from diffusion.kernels.clock import LATE, grown, step_of, steps_of
from diffusion.models import CTIC, SIR, Fixed


@pytest.mark.parametrize(
    ("time", "width", "step"),
    [
        (0.0, 1.0, 0),
        (1e-12, 1.0, 1),
        (1.0, 1.0, 1),
        (1.0 + 1e-8, 1.0, 2),
        (0.1 + 0.2, 0.1, 3),  # 3.0000000000000004 steps
        (7.5, 0.5, 15),
        (float(LATE - 1), 1.0, LATE - 1),
        (2.0**40, 1.0, LATE),
        (1e300, 1e-9, LATE),
        (math.inf, 1.0, LATE),
    ],
)
def test_step_of_a_time(time, width, step):
    assert step_of(time, width) == step
    assert steps_of(np.array([time]), width).tolist() == [step]


def test_counts_grow_and_keep_what_they_have():
    new = np.arange(12, dtype=np.int32).reshape(2, 3, 2)
    more = grown(new, 4)
    assert more.shape[1] >= 4
    np.testing.assert_array_equal(more[:, :3], new)
    assert not more[:, 3:].any()
    assert grown(new, 3) is new


@pytest.mark.parametrize("model", [SIR(Fixed(1e12), 0.0), CTIC(Fixed(1e12))])
def test_runs_that_end_beyond_all_steps_are_refused(model):
    graph = dif.FollowerGraph.from_arrays([0], [1], edges_mean="influences", directed=True)
    with pytest.raises(InputError, match="lasts more than"):
        dif.simulate(graph, [0], model=model, runs=2, rng=1)
