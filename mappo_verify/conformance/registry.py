"""Every check of the kit, by the name of its hook."""

from __future__ import annotations

from typing import Any

from ..arithmetic.explained import shown
from ..errors import ConformanceError
from . import agents, policies, surrogates, trajectories
from .check import Check

CHECKS: dict[str, Check] = {
    check.hook: check for check in (*trajectories.CHECKS, *surrogates.CHECKS, *policies.CHECKS, *agents.CHECKS)
}
"""Name of the hook: what it is compared with."""


def check_of(hook: str) -> Check:
    """What a hook is compared with: its arguments, formula, source, inputs and known slips.

    >>> print(check_of("kl").formula)
    KL(old‖new) = Σ_a old(a|s) log(old(a|s)/new(a|s))
    """
    given: Any = hook
    if not isinstance(given, str) or given not in CHECKS:
        raise ConformanceError(f"there is no hook {shown(hook)}; there are {', '.join(CHECKS)}")
    return CHECKS[hook]
