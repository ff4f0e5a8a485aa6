"""Quantities: every number that the paper defines, each one function, for every number system and any batch axes.

The public names are in the stub beside this file (``__init__.pyi``), in reading order; each is imported when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
