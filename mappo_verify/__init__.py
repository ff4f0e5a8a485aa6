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

What most work needs is here: games and policies, their values, claims and their trial, arithmetic for proofs.  The rest is in
namespaces: ``quantities``, ``games``, ``simulation``, ``algorithms``, ``runs``, ``checking``, ``conformance``, ``arithmetic`` and
``errors``.  The stubs beside their ``__init__.py`` (here ``__init__.pyi``) list the public names in reading order.  Each is
imported when first used: ``import mappo_verify`` itself loads nothing heavy, not even NumPy.
"""

import importlib
import sys
from typing import Any

import lazy_loader

# The stub is the list: type checkers read it as it stands, and lazy-loader reads it when the package is imported.
_resolve, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

_NAMESPACES = (
    "quantities",
    "games",
    "algorithms",
    "runs",
    "checking",
    "arithmetic",
    "axioms",
    "bounds",
    "errors",
    "simulation",
    "conformance",
)
_RENAMED = {
    "serialise": "quantities.sequential_game",
    "serialise_policy": "quantities.sequential_policy",
    "deserialise": "quantities.values_by_agent",
    "theorem_price": "algorithms.theorem_penalty",
    "repaired_price": "algorithms.repaired_penalty",
    "two_agent_gap": "games.theorem_5_5_two_agents",
    "one_agent_gap": "games.theorem_5_5_one_agent",
    "two_agent_classes": "games.theorem_d_7_classes",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("mappo-verify")
    if name in __all__:
        return _resolve(name)
    message, place = f"module {__name__!r} has no attribute {name!r}", _place(name)
    if place is None:  # with name and obj, Python can add "Did you mean ...?"
        raise AttributeError(message, name=name, obj=sys.modules[__name__])
    message += f"; it is {__name__}.{place} now"
    # `from mappo_verify import name` asks by hasattr, which would replace the message of an AttributeError by another.
    if sys._getframe(1).f_code.co_name == "_handle_fromlist":
        raise ImportError(message)
    raise AttributeError(message)


def _place(name: str) -> str | None:
    """Where in the namespaces a name is that is not here."""
    if name in _RENAMED:
        return _RENAMED[name]
    if name.startswith("_"):
        return None
    spaces = (space for space in _NAMESPACES if name in dir(importlib.import_module(f".{space}", __name__)))
    return next((f"{space}.{name}" for space in spaces), None)
