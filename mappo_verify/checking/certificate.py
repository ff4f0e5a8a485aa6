"""Certificates: counterexamples as small files that anybody can check again.

A certificate names a claim, holds one instance as the integers that describe it, and records the two sides of the statement
where it fails: as rationals ``p/q`` where the arithmetic is exact, else as enclosures ``[low, high]``, two decimals that differ
by 2 units of their last place and contain the true number.  The recorded numbers alone must contradict the relation: ``≤`` needs
``left.low > right.high``, ``=`` needs disjoint sides.

:func:`recheck` trusts nothing in it.  It rebuilds the case from the integers, evaluates hypotheses and statement with this
toolkit, and compares every field.  ``certificates/check.py`` does the same with formulas of its own and without this toolkit.

A file is untrusted: :mod:`.certificate_files` bounds what is read, :mod:`.certificate_limits` what is evaluated.

>>> from mappo_verify.claims.coordinates import Sizes
>>> coordinates = {"radius": [1, 1], "bound": [1, 2], "beta": [1, 1], "theta": [1], "anchor": [-1], "features": [1], "share": 0}
>>> found = certificate_of("lemma-b.2/printed-gradient-bound", Sizes(1, (1,)), coordinates)
>>> found.left_value, found.relation, found.right_value
('16', '≤', '9')
>>> print(recheck(found).text())
lemma-b.2/printed-gradient-bound is false: certified
  claimed:  ‖2((θ - θ_k)ᵀφ - Q̂/β)φ‖ ≤ 2(R + B/β) for ‖θ‖, ‖θ_k‖ ≤ R, ‖φ‖ ≤ 1, |Q̂| ≤ B
  kind:     printed: the paper states just this
  scope:    The centre θ_k is not 0 for k ≥ 1, and two points of a ball of radius R can be 2R apart.
  instance: parameters of norm at most R, features of norm at most 1, values at most B; 1 state, 1 actions
  left:     ‖∇‖² of one sample, ∇ = 2((θ - θ_k)ᵀφ - Q̂/β) φ  =  16
  right:    (2(R + B/β))²  =  9
  left ≤ right fails.

``python -m mappo_verify.checking.certificate FILE ...`` writes files anew from the claim and the integers in them: old ones, and
those whose claim has other texts now.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ..arithmetic import System
from ..arithmetic.explained import explained
from ..arithmetic.one_instance import one_at_a_time
from ..arithmetic.precision import PRECISION_CAP, precision
from ..claims.claim import MEANING, Claim, Kind
from ..claims.coordinates import Sizes
from ..claims.verdict import Evidence, LineEvidence, Standing, Verdict
from ..errors import ClaimError, ExactnessError, UndecidedError
from ..games.untrusted import write_whole
from ..model.trees import mapped
from ..papers.registry import CLAIMS
from ..papers.registry import claim as find
from .campaign import audit
from .certificate_files import FORMAT, PLACES, VERSION, RejectedError, Side, contradicts, interval, places_in, require
from .certificate_files import Certificate as Certificate
from .certificate_files import checksum as checksum
from .certificate_files import read_certificate as read_certificate
from .certificate_files import text_of as text_of
from .certificate_limits import instance_complaint
from .evaluate import certify, evaluate
from .reports import Witness

# --- making one -----------------------------------------------------------------------------------------------------


@explained
@one_at_a_time
def certificate_of(claim: str | Claim, sizes: Sizes, coordinates: Mapping[str, Any]) -> Certificate:
    """The certificate of one instance; :class:`~mappo_verify.errors.ClaimError` where the claim is not violated there."""
    entry = find(claim) if isinstance(claim, str) else claim
    if not isinstance(sizes, Sizes):
        raise ClaimError(f"sizes = {sizes!r} must be Sizes(states, (actions of agent 1, ...)), as in witness.sizes")
    plain = {name: np.asarray(values).tolist() for name, values in coordinates.items()}
    complaint = instance_complaint(entry, sizes, plain)
    if complaint:
        raise ClaimError(f"no certificate of {entry.id}: {complaint}")
    evidence = _evidence(entry, sizes, plain)
    if evidence.verdict is not Verdict.VIOLATED:
        raise ClaimError(f"no certificate of {entry.id}: {_verdict_words(evidence)}")
    for places in PLACES:
        found = _precise(entry, sizes, plain, evidence, places)
        for chain, statement in enumerate(found):
            for index in np.ndindex(statement.left.shape):
                if statement.where[index]:
                    sides = _recorded(statement.left[index], places), _recorded(statement.right[index], places)
                    if contradicts(sides[0], statement.relation, sides[1]):
                        draft = Certificate(
                            format=FORMAT,
                            version=VERSION,
                            claim=entry.id,
                            kind=entry.kind.value,
                            statement=entry.statement,
                            note=entry.note,
                            setting=entry.setting.name,
                            states=sizes.states,
                            action_sizes=list(sizes.actions),
                            steps=sizes.steps,
                            coordinates=plain,
                            derived=_derived(entry, sizes, plain),
                            hypotheses=[h.name for h in entry.setting.all_hypotheses],
                            chain=chain,
                            entry=list(index),
                            left=statement.left_is,
                            relation=statement.relation,
                            right=statement.right_is,
                            left_value=sides[0],
                            right_value=sides[1],
                            checksum="",
                        )
                        return msgspec.structs.replace(draft, checksum=checksum(draft))
    raise ClaimError(f"no certificate of {entry.id}: the violation is smaller than {PLACES[-1]} decimals show")


@dataclass(frozen=True, eq=False)
class _Statement:
    """First line against last line of one chain, entry by entry."""

    left_is: str
    relation: str
    right_is: str
    left: Any
    right: Any
    where: Any


def _evidence(claim: Claim, sizes: Sizes, coordinates: dict[str, Any]) -> Evidence:
    return certify(claim, partial(claim.setting.case, coordinates, sizes))


def _derived(claim: Claim, sizes: Sizes, coordinates: dict[str, Any]) -> dict[str, Any] | msgspec.UnsetType:
    """What the setting shows of an instance beside its coordinates, as the file records it."""
    show = claim.setting.exhibit
    if show is None:
        return msgspec.UNSET

    def plain(value: Any) -> Any:
        return [plain(part) for part in value] if isinstance(value, list) else _number(value)

    case = claim.setting.case(coordinates, sizes, System.RATIONALS)
    tables = mapped(lambda table: table.unwrap()[0], tuple(show(case).items()))
    return {name: plain(table.tolist()) for name, table in tables}


def _misderived(recorded: Any, computed: Any) -> list[str]:
    """The names of derived tables that differ, or that are there without need; as text, since ``True == 1``."""
    one, two = ({} if table is msgspec.UNSET else table for table in (recorded, computed))
    differ = sorted(name for name in one.keys() | two.keys() if json.dumps(one.get(name)) != json.dumps(two.get(name)))
    return differ or (["it"] if (recorded is msgspec.UNSET) != (computed is msgspec.UNSET) else [])


def _number(value: Any) -> int | str:
    """A whole number as an integer, another rational as ``"p/q"``."""
    return int(value.p) if value.q == 1 else str(value)


def _precise(
    claim: Claim, sizes: Sizes, coordinates: dict[str, Any], evidence: Evidence, places: int
) -> list[_Statement]:
    """Both sides of every statement; balls so small that an enclosure of so many decimal places has room for them."""
    if evidence.arithmetic is System.RATIONALS:
        return _statements(evidence)
    bits = evidence.precision
    assert bits is not None  # they are balls
    while bits < 2 * PRECISION_CAP:
        bits *= 2
        with precision(bits):
            found = _statements(evaluate(claim, claim.setting.case(coordinates, sizes, System.BALLS)))
        radii = [_ends(value) for s in found for side in (s.left, s.right) for value in side.ravel()]
        if all(high - low < Fraction(1, 4 * 10**places) for low, high in radii):
            return found
    raise UndecidedError(f"{claim.id}: {bits} bits do not give {places} decimals")


def _statements(evidence: Evidence) -> list[_Statement]:
    """The statements of one instance, from the lines of its proof."""
    chains: list[list[LineEvidence]] = []
    for entry in evidence.lines:
        if entry.step is None:
            chains.append([])
        chains[-1].append(entry)
    result = []
    for chain, statement in zip((chain for chain in chains if len(chain) > 1), evidence.statements, strict=True):
        first, last = chain[0], chain[-1]
        masks = [np.asarray(entry.where, bool) for entry in (first, last) if entry.where is not None]
        left, right, *masks = np.broadcast_arrays(first.value, last.value, *masks)
        where = np.logical_and.reduce([np.ones(left.shape, bool), *masks])
        result.append(_Statement(first.expression, statement.relation, last.expression, left, right, where))
    return result


def _recorded(value: Any, places: int) -> Side:
    """One number as a certificate records it."""
    exact = _exact(value)
    if exact is not None:
        return str(exact)
    low, high = _ends(value)
    nearest = round((low + high) / 2 * 10**places)
    return _decimal(nearest - 1, places), _decimal(nearest + 1, places)


def _exact(value: Any) -> Fraction | None:
    """The rational that a number is; None for a ball, and for a formal logarithm that is no rational."""
    if hasattr(value, "mid"):
        return None
    if hasattr(value, "reduced"):
        reduced = value.reduced()
        if reduced.terms:
            return None
        value = reduced.constant
    return Fraction(int(value.p), int(value.q))


def _ends(value: Any) -> tuple[Fraction, Fraction]:
    """Rational ends of a number's enclosure."""
    exact = _exact(value)
    if exact is not None:
        return exact, exact
    if hasattr(value, "reduced"):
        with precision(1024):
            value = value.ball()
    if not value.is_finite():
        raise ExactnessError("an infinite or undefined number cannot be recorded in a certificate")
    middle, radius = (_dyadic(part) for part in (value.mid(), value.rad()))
    return middle - radius, middle + radius


def _dyadic(ball: Any) -> Fraction:
    """An exact ball, ``mantissa · 2^exponent``."""
    mantissa, exponent = ball.man_exp()
    return int(mantissa) * Fraction(2) ** int(exponent)


def _decimal(units: int, places: int) -> str:
    """``units · 10^-places``, written with exactly so many decimals."""
    digits = str(abs(units)).rjust(places + 1, "0")
    return f"{'-' if units < 0 else ''}{digits[:-places]}.{digits[-places:]}"


# --- checking one ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Recheck:
    """Whether a certificate proves its claim false, why not, and what was computed for that."""

    certificate: Certificate
    valid: bool
    reason: str
    evidence: Evidence | None = None
    of_paper: bool = True
    """Whether a paper states the claim, and not its author alone, whose claim may have any id."""

    @property
    def meaning(self) -> str:
        """What the claim is to the paper, or to its author."""
        if not self.of_paper:
            return "as its author states it"
        return f"{self.certificate.kind}: {MEANING[Kind(self.certificate.kind)]}"

    def text(self) -> str:
        """The verdict in words; the scope of the refutation stands beside it."""
        certificate = self.certificate
        if not self.valid:
            return f"rejected: {self.reason}"
        lines = [
            f"{certificate.claim} is false: certified",
            f"  claimed:  {certificate.statement}",
            f"  kind:     {self.meaning}",
            *([f"  scope:    {certificate.note}"] if certificate.note else []),
            f"  instance: {certificate.setting}; {certificate.sizes}",
            f"  left:     {certificate.left}  =  {_told(certificate.left_value)}",
            f"  right:    {certificate.right}  =  {_told(certificate.right_value)}",
            f"  left {certificate.relation} right fails.",
        ]
        return "\n".join(lines)


def _told(side: Side) -> str:
    return side if isinstance(side, str) else f"between {side[0]} and {side[1]}"


@explained
@one_at_a_time
def recheck(certificate: Certificate, claim: Claim | None = None) -> Recheck:
    """Compute everything anew and compare every field; ``claim`` is needed for a claim that is not registered."""
    if not isinstance(certificate, Certificate):
        raise ClaimError(f"a {type(certificate).__name__} is no certificate; read_certificate(path) reads one")
    try:
        evidence = _checked(certificate, claim)
    except RejectedError as reason:
        return Recheck(certificate, False, str(reason))
    return Recheck(certificate, True, "", evidence, claim is None or claim in CLAIMS)


def _checked(certificate: Certificate, claim: Claim | None) -> Evidence:
    if claim is None:
        require(len(certificate.claim) <= 100, "no claim has an id of more than 100 characters")
        try:
            claim = find(certificate.claim)
        except ClaimError as error:
            raise RejectedError(
                f"{error}; a claim of your own must be given along: recheck(certificate, claim), certify --from FILE"
            ) from None
    expected = {
        "format": FORMAT,
        "version": VERSION,
        "claim": claim.id,
        "kind": claim.kind.value,
        "statement": claim.statement,
        "note": claim.note,
        "setting": claim.setting.name,
        "hypotheses": [h.name for h in claim.setting.all_hypotheses],
    }
    for name, value in expected.items():
        require(getattr(certificate, name) == value, f"{name} is not {value!r}")
    complaint = instance_complaint(claim, certificate.sizes, certificate.coordinates)
    require(not complaint, complaint or "")
    sides = [interval(certificate.left_value, "left_value"), interval(certificate.right_value, "right_value")]
    contradiction = contradicts(certificate.left_value, certificate.relation, certificate.right_value)
    require(contradiction, f"the recorded numbers do not contradict {certificate.relation}")
    intact = certificate.checksum == checksum(certificate)
    require(intact, "the checksum does not fit: something was changed since it was written")

    sizes, coordinates = certificate.sizes, certificate.coordinates
    try:
        strange = _misderived(certificate.derived, _derived(claim, sizes, coordinates))
        require(not strange, f"derived: {strange} is not what follows from the instance")
        evidence = _evidence(claim, sizes, coordinates)
        require(evidence.verdict is Verdict.VIOLATED, _verdict_words(evidence))
        found = _precise(claim, sizes, coordinates, evidence, max(PLACES[0], places_in(certificate)))
    except (ArithmeticError, ValueError) as error:  # ours, and what NumPy says of numbers that no formula was meant for
        raise RejectedError(f"the instance cannot be evaluated: {error}") from None
    require(0 <= certificate.chain < len(found), f"the claim has no statement number {certificate.chain}")
    statement, index = found[certificate.chain], tuple(certificate.entry)
    shape = statement.left.shape
    inside = len(index) == len(shape) and all(0 <= i < n for i, n in zip(index, shape, strict=True))
    require(inside, f"the entry {list(index)} is not inside a table of shape {shape}")
    require(bool(statement.where[index]), "the claim does not speak of this entry")
    for name, value in {"left": statement.left_is, "relation": statement.relation, "right": statement.right_is}.items():
        require(getattr(certificate, name) == value, f"{name} should read {value!r}")
    for name, (low, high), value in zip(
        ("left_value", "right_value"), sides, (statement.left[index], statement.right[index]), strict=True
    ):
        exact, (lowest, highest) = _exact(value), _ends(value)
        if exact is not None:
            require(low == high == exact, f"{name} is not {exact}")
        else:
            require(low < lowest and highest < high, f"{name} is not the number that this toolkit computes, {value}")
    return evidence


def _verdict_words(evidence: Evidence) -> str:
    return f"the verdict on this instance is {evidence.verdict.value!r}" + (
        f" ({evidence.reason})" if evidence.reason else ""
    )


# --- files ------------------------------------------------------------------------------------------------------------


@explained
@one_at_a_time
def write_certificate(witness: Witness | Certificate, path: str | Path, claim: Claim | None = None) -> Certificate:
    """Write the certificate of a counterexample, and return it; ``claim`` is needed for a claim that is not registered.

    The file is written only if :func:`recheck` accepts it.
    """
    if isinstance(witness, Witness):
        certificate = certificate_of(claim or witness.claim, witness.sizes, witness.coordinates)
    elif isinstance(witness, Certificate):
        certificate = witness
    else:
        raise ClaimError(
            f"a {type(witness).__name__} is no counterexample; give a witness, for instance falsify(claim).witness"
        )
    result = recheck(certificate, claim)
    if not result.valid:
        raise ClaimError(f"no certificate of {certificate.claim}: {result.reason}")
    write_whole(path, text_of(certificate))
    return certificate


def certificate_by_audit(claim: str | Claim, seed: int = 0) -> Certificate:
    """The certificate of the counterexample that an audit finds; ClaimError where it finds none."""
    entry = find(claim) if isinstance(claim, str) else claim
    report = audit([entry], seed=seed)[entry.id]
    if report.standing is not Standing.REFUTED or report.witness is None:
        raise ClaimError(f"{entry.id} is {report.standing.value}, so there is no counterexample to certify")
    return certificate_of(entry, report.witness.sizes, report.witness.coordinates)


def anew(path: str | Path) -> Certificate:
    """The certificate of the claim and the integers in a file, whose other fields may be out of date; version 1 is accepted."""
    old = read_certificate(path, old=True)
    return certificate_of(old.claim, old.sizes, old.coordinates)


def main(arguments: list[str]) -> int:
    """Write every named file anew."""
    if not arguments:
        sys.stderr.write("usage: python -m mappo_verify.checking.certificate FILE ...\n")
        return 2
    for path in arguments:
        write_certificate(anew(path), path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
