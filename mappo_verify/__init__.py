"""mappo_verify: the mathematics of a multi-agent reinforcement learning paper, on trial.

Give it a game, or a claim.  It computes both sides as numbers, exactly where that is possible, names the line of a proof that
breaks, and searches for the smallest counterexample.  Every quantity is one function over arrays, and the arrays decide the
arithmetic: floats, exact rationals, certified balls or symbols.

The performance difference lemma (lemma-4.1) on the climbing game, from the uniform policy to an optimal one.  Two agents
share the gain, and nothing is rounded:

>>> import mappo_verify as mv
>>> game = mv.named_game("climbing")
>>> policy, target = mv.Policy.uniform(game), mv.optimal(game).policy
>>> shares = mv.return_difference(game, target, policy)
>>> print(*shares, shares.sum() == mv.returns(game, target) - mv.returns(game, policy))
-26/9 52/3 True

The public names, in reading order, are in the stub beside this file (``__init__.pyi``).  Each is imported when first used:
``import mappo_verify`` itself loads nothing heavy, not even NumPy.
"""

import sys
from typing import Any

import lazy_loader

# The stub is the list: type checkers read it as it stands, and lazy-loader reads it when the package is imported.
_resolve, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("mappo-verify")
    if name not in __all__:  # with name and obj, Python can add "Did you mean ...?"
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__])
    return _resolve(name)
