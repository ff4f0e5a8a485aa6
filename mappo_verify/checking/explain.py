"""Chooses the case on which a claim is explained."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from ..arithmetic import System
from ..arithmetic.explained import explained
from ..arithmetic.one_instance import one_at_a_time
from ..claims.claim import Claim
from ..claims.coordinates import Sizes
from ..claims.verdict import Evidence, Standing, Verdict
from ..errors import ClaimError, MappoVerifyError
from ..model import Game
from ..model.validation import require_seed
from ..papers.registry import CLAIMS
from ..papers.registry import claim as find
from .campaign import audit
from .evaluate import certify, raised
from .on_game import case_on_game
from .reports import ClaimReport
from .sampling import draw, instance, sizes_of

CANDIDATES = 40
COMPARED = 12
"""Of the candidates that meet the hypotheses so many are compared, and the one that reads best is shown."""

Explanation = tuple[Claim, Evidence, str]


@explained
@one_at_a_time
def explain(claim: str | Claim, game: Game | None = None, seed: int = 0) -> Explanation:
    """The claim, its evidence on one case, and words for that case; :class:`ClaimError` where its proof raises something.

    On ``game`` if given (the uniform policy against the optimal one); else the smallest counterexample, or a small instance.  A
    claim of your own is put on trial first, so that what is false is shown where it fails.
    """
    require_seed(seed)
    entry = find(claim) if isinstance(claim, str) else claim
    if game is None and (entry.record is Standing.REFUTED or entry not in CLAIMS):
        return explain_report(audit([entry], seed=seed)[entry.id], seed=seed)
    return _explained(entry, game, seed)


def explain_report(report: ClaimReport, game: Game | None = None, seed: int = 0) -> Explanation:
    """The same after an audit: what it found against the claim, else as :func:`explain`."""
    if report.witness is not None:
        return report.claim, report.witness.evidence, f"the smallest counterexample found ({report.witness.sizes})"
    line = report.broken_line
    if line is not None and report.violation is None:
        where = str(line.sizes) if game is None else f"{_named(game)}; {line.sizes}"
        return report.claim, line.evidence, f"an instance on which line {line.number} of the proof breaks ({where})"
    if report.violation is not None:
        assert game is not None
        return report.claim, report.violation, f"{_named(game)}, where the claim is violated"
    return _explained(report.claim, game, seed)


def _explained(claim: Claim, game: Game | None, seed: int) -> Explanation:
    try:
        if game is None:
            return _on_an_instance(claim, seed)
        case = case_on_game(claim.setting, game, seed)
        evidence = certify(claim, lambda system: case if system is System.RATIONALS else case.to(system))
    except MappoVerifyError:
        raise
    except Exception as error:
        raise ClaimError(f"{claim.id} {raised(error, 'nothing to explain')}") from error
    return claim, evidence, _named(game)


def _named(game: Game) -> str:
    return game.name or repr(game)


def _on_an_instance(claim: Claim, seed: int) -> Explanation:
    every = sizes_of(claim.setting)
    sizes = next((s for s in every if s.agents == min(2, claim.setting.agents[1]) and min(s.actions) > 1), every[-1])
    compared = COMPARED if claim.setting.explore else 1

    def with_lines(sizes: Sizes) -> Iterator[Evidence]:
        drawn = draw(claim.setting, sizes, CANDIDATES, np.random.default_rng(seed))
        for index in range(CANDIDATES):
            evidence = certify(claim, partial(claim.setting.case, instance(drawn, index), sizes))
            if evidence.lines and evidence.verdict is not Verdict.NOT_APPLICABLE:  # it says something there
                yield evidence

    for tried in (sizes, *(other for other in every if other != sizes)):  # hypotheses may be met at few sizes
        found = [evidence for evidence, _ in zip(with_lines(tried), range(compared), strict=False)]
        if found:
            return claim, min(found, key=_effort), f"a drawn instance ({tried}; seed {seed})"
    drawn = draw(claim.setting, sizes, 1, np.random.default_rng(seed))
    best = certify(claim, partial(claim.setting.case, instance(drawn, 0), sizes))
    return claim, best, f"a drawn instance ({sizes}; seed {seed})"


def _effort(evidence: Evidence) -> tuple[bool, int, int]:
    """How hard a case is to learn from: first no verdict, then lines of zeros and ones, then long numbers."""
    texts = [[str(number) for number in np.ravel(entry.value)] for entry in evidence.lines]
    trivial = sum(set(numbers) <= {"0", "1"} for numbers in texts)
    return evidence.verdict is Verdict.UNDECIDED, trivial, sum(len(number) for numbers in texts for number in numbers)
