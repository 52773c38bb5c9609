"""Simulation: many runs of a model, their growth and phase, their trees, and the flow between communities."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
