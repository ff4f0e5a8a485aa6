# The public names of mappo_verify.bounds, in reading order; see the rules in ../__init__.pyi.

# --- Exact values or a critic: Theorem 4.5 and its kin ---------------------------------------------------------------
from .convergence import (
    without_errors as without_errors,
    exact_rate as exact_rate,
    of_run as of_run,
    RunBounds as RunBounds,
)

# --- Learning from data: Lemma C.6, Theorems 5.5 and D.7 ---------------------------------------------------------------
from .pessimism import (
    regret as regret,
    optimisation as optimisation,
    from_samples as from_samples,
    from_finite_class as from_finite_class,
)
