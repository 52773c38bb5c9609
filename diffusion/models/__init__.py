"""Models of diffusion: small frozen objects that hold parameters, and answer what the package asks of a model."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
