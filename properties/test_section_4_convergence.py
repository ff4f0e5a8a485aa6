"""Section 4.2 on trial: Theorem 4.5 on runs, its repairs, exact updates; Section 4.3."""

from on_trial import fails, falls, holds, open_but_unopposed


def test_theorem_4_5_summed_form_falls() -> None:
    """A rare action hides an error that flips the policy: left exceeds right, certified."""
    evidence = falls("theorem-4.5/i")
    assert evidence.broken is not None and "lemma-b.4" in evidence.broken.because


def test_theorem_4_5_with_its_own_step_size_falls() -> None:
    falls("theorem-4.5/ii")


def test_repaired() -> None:
    """With the density that Cauchy-Schwarz needs, it holds."""
    holds("theorem-4.5/repaired")


def test_repaired_sharper() -> None:
    holds("theorem-4.5/repaired-sharp")


def test_repaired_sharper_is_tight() -> None:
    """Its right-hand side comes within 1 + 6/(5√K) of the left one."""
    holds("theorem-4.5/sharp-is-tight")


def test_repaired_by_bounded_parameters() -> None:
    holds("theorem-4.5/bounded-parameters")


def test_the_abstract_drops_the_horizon() -> None:
    falls("abstract-rate")


def test_monotone_improvement() -> None:
    """Exact ideal updates never decrease J, whatever β."""
    holds("monotone-improvement")


def test_exact_rate() -> None:
    """Constant steps: rate 1/K."""
    holds("theorem-4.5/exact-rate")


def test_the_inner_loop_commutes() -> None:
    open_but_unopposed("parallel-updates")


def test_equilibria_need_not_be_optimal() -> None:
    assert fails("section-4.3/equilibria-are-optimal").violated


def test_shared_parameters_lose_exponentially() -> None:
    """2/2^N of the optimum, attained at p = 1/2."""
    holds("section-4.3/shared-parameters")
