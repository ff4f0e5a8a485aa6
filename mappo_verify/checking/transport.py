"""What a worker found about a registered claim, as bytes, and back.

A claim is sent as its id, so that the report that arrives speaks of the registered claim itself; a ball is sent as the integers
that it is made of, and arrives with its midpoint and a radius that is rounded up in its last bit.
"""

from __future__ import annotations

import io
import pickle
from functools import cache
from typing import TYPE_CHECKING, Any

from ..arithmetic.numbers import Hidden
from ..claims.claim import Claim
from ..claims.settings import Setting
from ..papers.registry import CLAIMS
from ..papers.registry import claim as find

if TYPE_CHECKING:
    from flint import arb

_NAMES = {id(entry): entry.id for entry in CLAIMS} | {id(entry.setting): entry.id for entry in CLAIMS}
"""The claim that an object is, or is the setting of."""


def packed(thing: Any) -> bytes:
    """Anything that an audit finds about registered claims."""
    file = io.BytesIO()
    _pickler()(file).dump(thing)
    return file.getvalue()


@cache
def _pickler() -> Any:
    """A pickler that knows functions, claims and balls."""
    import cloudpickle
    from flint import arb

    own = {Claim: _claim, Setting: _setting, Hidden: lambda it: (Hidden, (it._system,)), arb: _ball}
    table = cloudpickle.Pickler.dispatch_table.new_child(own)
    return type("Pickler", (cloudpickle.Pickler,), {"dispatch_table": table})


def unpacked(content: bytes) -> Any:
    """What :func:`packed` was given; the bytes are those of a worker of this very process, never of a file."""
    return pickle.loads(content)


def _claim(claim: Claim) -> Any:
    return (find, (_NAMES[id(claim)],)) if id(claim) in _NAMES else claim.__reduce_ex__(pickle.HIGHEST_PROTOCOL)


def _setting(setting: Setting) -> Any:
    if id(setting) in _NAMES:
        return _setting_of, (_NAMES[id(setting)],)
    return setting.__reduce_ex__(pickle.HIGHEST_PROTOCOL)


def _setting_of(claim: str) -> Setting:
    return find(claim).setting


def _ball(ball: arb) -> Any:
    kind = type(ball)
    if ball.is_finite():
        return kind, (ball.mid().man_exp(), ball.rad().man_exp())
    return kind, (next((name for name in ("inf", "-inf") if ball == kind(name)), ball.str()),)
