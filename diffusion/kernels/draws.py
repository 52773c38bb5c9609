"""Numbers drawn from streams: normal, gamma, beta. Each returns its value and the next position of the stream."""

import math

import numpy as np

from .._numba import njit
from .sampling import uniform


@njit
def normal(key, k):
    """Standard normal number (Box and Muller 1958)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(key, k)))
    return radius * math.cos(2.0 * math.pi * uniform(key, k + 1)), k + 2


@njit
def log_gamma(key, k, shape):
    """Logarithm of a gamma number of scale 1 (Marsaglia and Tsang 2000); of small shapes the number itself would be 0."""
    boost = 0.0
    if shape < 1.0:
        boost = math.log(1.0 - uniform(key, k)) / shape
        k += 1
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x, k = normal(key, k)
        u = 1.0 - uniform(key, k)
        k += 1
        v = (1.0 + c * x) ** 3
        if v > 0.0 and math.log(u) < 0.5 * x * x + d - d * v + d * math.log(v):
            return boost + math.log(d * v), k


@njit
def beta(key, k, yes, no):
    """Beta number."""
    a, k = log_gamma(key, k, yes)
    b, k = log_gamma(key, k, no)
    return 1.0 / (1.0 + math.exp(min(b - a, 700.0))), k


@njit
def some_poisson(key, k, mean):
    """Poisson number that is not 0, by inversion."""
    u = uniform(key, k) * -np.expm1(-mean)
    count, term = 1, mean * np.exp(-mean)
    while u > term and count < 1000:
        u -= term
        count += 1
        term *= mean / count
    return count, k + 1
