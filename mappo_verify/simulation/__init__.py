"""Simulation: rollouts of many episodes at once, and games as environments of PettingZoo and Gymnasium.

The public names are in the stub beside this file (``__init__.pyi``), in reading order; each is imported when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
