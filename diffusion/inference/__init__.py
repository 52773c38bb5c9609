"""Inference: what logs of adoptions and engagement counts teach about probabilities, models and funnels."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
