"""Claims: the paper as executable proofs.

What :mod:`mappo_verify` does not show at its top is in the stub beside this file (``__init__.pyi``):
ingredients that follow from others,
and those of runs and inductions, which the paper's own claims use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
