"""A conformance kit for authors of libraries: is my multi-agent RL library's mathematics right?

Test classes whose hooks an author fills in, exact values to compare with, causes that are named, and a doctor for suites.  The
public names are in the stub beside this file (``__init__.pyi``); each is imported when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
