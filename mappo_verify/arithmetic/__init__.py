"""Arithmetic: the only place that solves, compares and chooses.

:mod:`.functions` are the functions of formulas, :mod:`.numbers` the numbers of one instance, :mod:`.system` says which number
systems there are, :mod:`.protocol` what each must do.

The public names are in the stub beside this file (``__init__.pyi``); each is imported when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
