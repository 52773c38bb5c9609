"""Information diffusion on follower graphs: cascades, seeding, and measured Share & Spread studies.

Names are loaded when they are first used, so the import itself takes a few milliseconds.
"""

import lazy_loader as _lazy

from ._version import __version__ as __version__

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
