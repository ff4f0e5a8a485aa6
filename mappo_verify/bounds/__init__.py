"""Bounds: what a theorem allows for a given game, number of iterations, number of samples and probability of failure.

The public names are in the stub beside this file (``__init__.pyi``); each is imported when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
