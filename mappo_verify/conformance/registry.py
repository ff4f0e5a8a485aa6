"""Every check of the kit, by the name of its hook."""

from __future__ import annotations

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
    if hook not in CHECKS:
        raise ConformanceError(f"there is no hook {hook!r}; there are {', '.join(CHECKS)}")
    return CHECKS[hook]
