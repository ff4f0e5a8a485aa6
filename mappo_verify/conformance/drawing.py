"""What Hypothesis calls when it is imported, by its entry point: it learns to draw games and policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from ..model import Game, Policy


def register_strategies() -> None:
    """``hypothesis.strategies.from_type(mv.Game)`` and ``from_type(mv.Policy)`` draw exact small ones.

    The strategies themselves are imported when the first one is drawn.
    """
    from hypothesis import strategies as st

    from ..model import Game, Policy

    st.register_type_strategy(Game, st.deferred(_games))
    st.register_type_strategy(Policy, st.deferred(_policies))


def _games() -> SearchStrategy[Game]:
    from ..checking.strategies import games

    return games()


def _policies() -> SearchStrategy[Policy]:
    from ..checking.strategies import games, policies

    return games().flatmap(policies)
