"""A claim as a test: ``test_lemma = on_trial("lemma-4.1")``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..arithmetic.explained import shown
from ..checking.campaign import audit
from ..checking.certificate import certificate_of, recheck, write_certificate
from ..checking.reports import ClaimReport
from ..claims.claim import Claim
from ..claims.verdict import Standing
from ..errors import ConformanceError
from .settings import current

if TYPE_CHECKING:
    from ..model import Game

GOOD = (Standing.PROVED, Standing.SURVIVED, Standing.SUPPORTED)


def on_trial(claim: str | Claim, *, profile: str = "quick", game: Game | None = None) -> Callable[[], None]:
    """A test function that puts a claim on trial: a registered one by its id (a parent means its parts), or one of your own.

    The test passes where every standing is PROVED, SURVIVED or SUPPORTED and no step of a proof breaks.  OPEN and UNTESTED fail:
    unknown never counts as passed.  With ``game`` the claim is tried on this very game.  The seed is that of the run of tests; a
    counterexample is written as a certificate where the run asks for it.

    >>> test_lemma = on_trial("lemma-4.1")
    >>> test_lemma.__name__
    'test_lemma_4_1'
    """
    if not isinstance(claim, (str, Claim)):
        raise ConformanceError(f"{shown(claim)} is neither the id of a claim nor a Claim")
    name = claim if isinstance(claim, str) else claim.id

    def test() -> None:
        report = audit([claim], profile, current().seed, game)
        if not report.claims:
            raise AssertionError(f"{name} was not tried: {'; '.join(reason for _, reason in report.skipped)}")
        bad = [text for each in report.claims for text in complaints(each)]
        if bad:
            raise AssertionError("\n".join(bad))

    test.__name__ = test.__qualname__ = "test_" + "".join(sign if sign.isalnum() else "_" for sign in name)
    test.__doc__ = f"{name}, put on trial."
    return test


def complaints(report: ClaimReport) -> list[str]:
    """Why a claim's test fails; nothing where it passes."""
    if report.standing not in GOOD:
        return [f"{report.id} is {report.standing.value}: {report.how}", *_counterexample(report)]
    if report.broken is not None:
        step = report.broken
        return [
            f"{report.id} is {report.standing.value}, but its proof breaks: {step.left} {step.relation} {step.right}"
        ]
    return []


def _counterexample(report: ClaimReport) -> list[str]:
    if report.witness is None:
        return []
    claim: Any = report.claim
    certificate = certificate_of(claim, report.witness.sizes, report.witness.coordinates)
    lines = [recheck(certificate, claim).text()]
    folder = current().certificates
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{report.id.replace('/', '-')}.json"
        write_certificate(certificate, path, claim)
        lines.append(f"  written   {path}")
    return lines
