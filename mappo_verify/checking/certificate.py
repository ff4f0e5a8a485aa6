"""Certificates: counterexamples as small files that anybody can check again.

A certificate names a claim, holds one instance as the integers that describe it, and records the two sides of the statement
where it fails: as rationals ``p/q`` where the arithmetic is exact, else as enclosures ``[low, high]``, two decimals that differ
by 2 units of their last place and contain the true number.  The recorded numbers alone must contradict the relation: ``≤`` needs
``left.low > right.high``, ``=`` needs disjoint sides.

:func:`recheck` trusts nothing in it.  It rebuilds the case from the integers, evaluates hypotheses and statement with this
toolkit, and compares every field.  ``certificates/check.py`` does the same with formulas of its own and without this toolkit.

A file is untrusted: its size, the length of its numbers and the size of what they describe are bounded before anything is
evaluated.  The checksum proves nothing; it catches slips in integers that a statement happens not to look at.

>>> from mappo_verify.claims.coordinates import Sizes
>>> coordinates = {"radius": [1, 1], "bound": [1, 2], "beta": [1, 1], "theta": [1], "anchor": [-1], "features": [1], "share": 0}
>>> found = certificate_of("lemma-b.2/printed-gradient-bound", Sizes(1, (1,)), coordinates)
>>> found.left_value, found.relation, found.right_value
('16', '≤', '9')
>>> print(recheck(found).text())
lemma-b.2/printed-gradient-bound is false: certified
  claimed:  ‖2((θ - θ_k)ᵀφ - Q̂/β)φ‖ ≤ 2(R + B/β) for ‖θ‖, ‖θ_k‖ ≤ R, ‖φ‖ ≤ 1, |Q̂| ≤ B
  scope:    The centre θ_k is not 0 for k ≥ 1, and two points of a ball of radius R can be 2R apart.
  instance: parameters of norm at most R, features of norm at most 1, values at most B; 1 state, 1 actions
  left:     ‖∇‖² of one sample, ∇ = 2((θ - θ_k)ᵀφ - Q̂/β) φ  =  16
  right:    (2(R + B/β))²  =  9
  left ≤ right fails.

``python -m mappo_verify.checking.certificate certificates/`` writes the files that this project ships.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import numpy as np

from ..arithmetic import System, module_of
from ..claims.claim import Claim
from ..claims.coordinates import Coordinate, Sizes
from ..claims.verdict import Evidence, LineEvidence, Standing, Verdict
from ..errors import ClaimError, ExactnessError, FileError, UndecidedError
from ..papers.registry import claim as find
from .campaign import audit
from .evaluate import PRECISION_CAP, certify, evaluate
from .reports import Witness

FORMAT, VERSION = "mappo-verify-certificate", 1
Side = str | tuple[str, str]
"""A rational in lowest terms, or two decimals that enclose the number."""

# --- the file -------------------------------------------------------------------------------------------------------

MAX_BYTES = 1_000_000
MAX_ENTRIES = 20_000
MAX_INTEGER = 10_000
MAX_ERROR, MAX_ERRORS = 1_000, 10_000
"""Size of one rare error, and of all together: they are exponents of 2."""
LONG_RUNS = {
    "theorem-4.5/i": 1_000,
    "theorem-4.5/ii": 1_000,
    "abstract-rate": 20_000,
    "theorem-5.5/one-agent": 40_000,
    "theorem-5.5/two-agents": 40_000,
}
"""Runs whose cost grows gently may be longer than those that their setting draws."""
PLACES = (20, 40, 80)
"""Decimal places of an enclosure: the fewest that prove the violation."""

_RATIONAL = re.compile(r"-?(0|[1-9][0-9]{0,399})(/[1-9][0-9]{0,399})?")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,399})\.([0-9]{20}|[0-9]{40}|[0-9]{80})")


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of a certificate, in the order of the file.

    ``chain`` and ``entry`` say where the statement fails: which of the claim's statements (from 0), and the index in its table of
    sides, ``[]`` for a single number.  ``left`` and ``right`` are the sides in words.  ``derived`` is there where an instance
    stands for more than its coordinates name: rational tables, whole numbers as integers and others as ``"p/q"``.
    """

    format: str
    version: int
    claim: str
    statement: str
    note: str
    setting: str
    states: int
    action_sizes: list[int]
    steps: int
    coordinates: dict[str, Any]
    derived: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    hypotheses: list[str]
    chain: int
    entry: list[int]
    left: str
    relation: str
    right: str
    left_value: Side
    right_value: Side
    checksum: str

    @property
    def sizes(self) -> Sizes:
        """The sizes of the instance."""
        return Sizes(self.states, tuple(self.action_sizes), self.steps)


def checksum(certificate: Certificate) -> str:
    """SHA-256 of everything else, as JSON with sorted names and without spaces."""
    rest = {name: value for name, value in msgspec.to_builtins(certificate).items() if name != "checksum"}
    text = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_certificate(path: str | Path) -> Certificate:
    """The certificate in a file; nothing is evaluated yet.  :class:`~mappo_verify.errors.FileError` if it is none."""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise FileError(f"{str(path)!r} is not a possible file name: {error}") from None
    if len(raw) > MAX_BYTES:
        raise FileError(f"{path} is larger than {MAX_BYTES} bytes, so it is no certificate")
    try:
        # msgspec would let the last of two equal names win, and take long integers; so those are looked for first
        json.loads(raw.decode(), object_pairs_hook=_once, parse_int=_short, parse_float=_refuse, parse_constant=_refuse)
        certificate = msgspec.json.decode(raw, type=Certificate)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at ")
        raise FileError(f"{path}: {place.strip('`') or '$'}: {message}") from None
    except (ValueError, msgspec.DecodeError) as error:
        raise FileError(f"{path}: {error}") from None
    except RecursionError:
        raise FileError(f"{path}: the JSON is nested too deeply to be a certificate") from None
    if certificate.format != FORMAT or certificate.version != VERSION:
        raise FileError(f"{path}: this release reads {FORMAT!r}, version {VERSION}")
    return certificate


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name occurs twice in one JSON object")


def _short(text: str) -> None:
    if len(text) > 7 or text == "-0":
        raise ValueError(f"the integer {text[:20]} is too long, or -0")


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"the number {text[:20]} is no integer")


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
    try:
        Path(path).write_text(text_of(certificate), encoding="utf-8", newline="\n")
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}") from None
    return certificate


def text_of(certificate: Certificate) -> str:
    """The text of the file: one field a line, and one line for each group of coordinates."""

    def shown(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    lines = []
    for name, value in msgspec.to_builtins(certificate).items():
        if isinstance(value, dict):
            inner = ",\n".join(f"    {shown(key)}: {shown(entry)}" for key, entry in value.items())
            lines.append(f"  {shown(name)}: {{\n{inner}\n  }}")
        else:
            lines.append(f"  {shown(name)}: {shown(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


# --- making one -----------------------------------------------------------------------------------------------------


def certificate_of(claim: str | Claim, sizes: Sizes, coordinates: Mapping[str, Any]) -> Certificate:
    """The certificate of one instance; :class:`~mappo_verify.errors.ClaimError` where the claim is not violated there."""
    entry = find(claim) if isinstance(claim, str) else claim
    if not isinstance(sizes, Sizes):
        raise ClaimError(f"sizes = {sizes!r} must be Sizes(states, (actions of agent 1, ...)), as in witness.sizes")
    plain = {name: np.asarray(values).tolist() for name, values in coordinates.items()}
    complaint = _instance_complaint(entry, sizes, plain)
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
    return {name: plain(table.tolist()) for name, table in show(case).items()}


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
    balls = module_of(System.BALLS)
    bits = evidence.precision or 64
    while True:
        bits = min(2 * bits, 2 * PRECISION_CAP)
        with balls.precision(bits):
            found = _statements(evaluate(claim, claim.setting.case(coordinates, sizes, System.BALLS)))
        radii = [_ends(value) for s in found for side in (s.left, s.right) for value in side.ravel()]
        if all(high - low < Fraction(1, 4 * 10**places) for low, high in radii):
            return found
        if bits == 2 * PRECISION_CAP:
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
        with module_of(System.BALLS).precision(1024):
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

    def text(self) -> str:
        """The verdict in words; the scope of the refutation stands beside it."""
        certificate = self.certificate
        if not self.valid:
            return f"rejected: {self.reason}"
        lines = [
            f"{certificate.claim} is false: certified",
            f"  claimed:  {certificate.statement}",
            *([f"  scope:    {certificate.note}"] if certificate.note else []),
            f"  instance: {certificate.setting}; {certificate.sizes}",
            f"  left:     {certificate.left}  =  {_told(certificate.left_value)}",
            f"  right:    {certificate.right}  =  {_told(certificate.right_value)}",
            f"  left {certificate.relation} right fails.",
        ]
        return "\n".join(lines)


def _told(side: Side) -> str:
    return side if isinstance(side, str) else f"between {side[0]} and {side[1]}"


def recheck(certificate: Certificate, claim: Claim | None = None) -> Recheck:
    """Compute everything anew and compare every field; ``claim`` is needed for a claim that is not registered."""
    if not isinstance(certificate, Certificate):
        raise ClaimError(f"a {type(certificate).__name__} is no certificate; read_certificate(path) reads one")
    try:
        evidence = _checked(certificate, claim)
    except _RejectedError as reason:
        return Recheck(certificate, False, str(reason))
    return Recheck(certificate, True, "", evidence)


class _RejectedError(Exception):
    """Why a certificate proves nothing."""


def _require(condition: bool, reason: str) -> None:
    if not condition:
        raise _RejectedError(reason)


def _checked(certificate: Certificate, claim: Claim | None) -> Evidence:
    if claim is None:
        _require(len(certificate.claim) <= 100, "no claim has an id of more than 100 characters")
        try:
            claim = find(certificate.claim)
        except ClaimError as error:
            raise _RejectedError(
                f"{error}; a claim of your own must be given along: recheck(certificate, claim)"
            ) from None
    expected = {
        "format": FORMAT,
        "version": VERSION,
        "claim": claim.id,
        "statement": claim.statement,
        "note": claim.note,
        "setting": claim.setting.name,
        "hypotheses": [h.name for h in claim.setting.all_hypotheses],
    }
    for name, value in expected.items():
        _require(getattr(certificate, name) == value, f"{name} is not {value!r}")
    complaint = _instance_complaint(claim, certificate.sizes, certificate.coordinates)
    _require(not complaint, complaint or "")
    sides = [_interval(certificate.left_value, "left_value"), _interval(certificate.right_value, "right_value")]
    contradiction = contradicts(certificate.left_value, certificate.relation, certificate.right_value)
    _require(contradiction, f"the recorded numbers do not contradict {certificate.relation}")
    intact = certificate.checksum == checksum(certificate)
    _require(intact, "the checksum does not fit: something was changed since it was written")

    sizes, coordinates = certificate.sizes, certificate.coordinates
    try:
        strange = _misderived(certificate.derived, _derived(claim, sizes, coordinates))
        _require(not strange, f"derived: {strange} is not what follows from the instance")
        evidence = _evidence(claim, sizes, coordinates)
        _require(evidence.verdict is Verdict.VIOLATED, _verdict_words(evidence))
        found = _precise(claim, sizes, coordinates, evidence, max(PLACES[0], _places(certificate)))
    except (ArithmeticError, ValueError) as error:  # ours, and what NumPy says of numbers that no formula was meant for
        raise _RejectedError(f"the instance cannot be evaluated: {error}") from None
    _require(0 <= certificate.chain < len(found), f"the claim has no statement number {certificate.chain}")
    statement, index = found[certificate.chain], tuple(certificate.entry)
    shape = statement.left.shape
    inside = len(index) == len(shape) and all(0 <= i < n for i, n in zip(index, shape, strict=True))
    _require(inside, f"the entry {list(index)} is not inside a table of shape {shape}")
    _require(bool(statement.where[index]), "the claim does not speak of this entry")
    for name, value in {"left": statement.left_is, "relation": statement.relation, "right": statement.right_is}.items():
        _require(getattr(certificate, name) == value, f"{name} should read {value!r}")
    for name, (low, high), value in zip(
        ("left_value", "right_value"), sides, (statement.left[index], statement.right[index]), strict=True
    ):
        exact, (lowest, highest) = _exact(value), _ends(value)
        if exact is not None:
            _require(low == high == exact, f"{name} is not {exact}")
        else:
            _require(low < lowest and highest < high, f"{name} is not the number that this toolkit computes, {value}")
    return evidence


def _verdict_words(evidence: Evidence) -> str:
    return f"the verdict on this instance is {evidence.verdict.value!r}" + (
        f" ({evidence.reason})" if evidence.reason else ""
    )


def contradicts(left: Side, relation: str, right: Side) -> bool:
    """Whether recorded sides alone show that the relation fails."""
    (left_low, left_high), (right_low, right_high) = _interval(left, "left_value"), _interval(right, "right_value")
    above, below = left_low > right_high, left_high < right_low
    violated = {"≤": above, "≥": below, "=": above or below}.get(relation)
    _require(violated is not None, f"{relation[:20]!r} is no relation that a claim may state")
    return bool(violated)


def _interval(side: Side, name: str) -> tuple[Fraction, Fraction]:
    """The ends of a recorded number, in the only form in which it may be written."""
    if isinstance(side, str):
        _require(_RATIONAL.fullmatch(side) is not None, f"{name} is no rational number of at most 400 digits")
        value = Fraction(side)
        _require(str(value) == side, f"{name} is not in lowest terms")
        return value, value
    for end in side:
        _require(_DECIMAL.fullmatch(end) is not None, f"{name} is no pair of decimals with 20, 40 or 80 places")
        _require(not (end[0] == "-" and Fraction(end) == 0), f"{name} has a negative zero")
    places = {_places_of(end) for end in side}
    low, high = Fraction(side[0]), Fraction(side[1])
    narrow = len(places) == 1 and high - low == Fraction(2, 10 ** places.pop())
    _require(narrow, f"{name} is not an enclosure whose ends differ by 2 units of the last decimal")
    return low, high


def _places_of(decimal: str) -> int:
    return len(decimal.partition(".")[2])


def _places(certificate: Certificate) -> int:
    return max(
        (_places_of(side[0]) for side in (certificate.left_value, certificate.right_value) if isinstance(side, tuple)),
        default=0,
    )


def _instance_complaint(claim: Claim, sizes: Sizes, coordinates: Mapping[str, Any]) -> str | None:
    """Why an instance is refused before anything is evaluated: its sizes, shapes and ranges; None if nothing is wrong."""
    setting = claim.setting
    if claim.experiment is not None:
        return "it holds with probability 1 - δ, so one bad sample proves nothing"
    if not setting.agents[0] <= sizes.agents <= setting.agents[1]:
        return f"{sizes.agents} agents are not in {setting.agents}, which this setting treats"
    if not setting.states[0] <= sizes.states <= setting.states[1]:
        return f"{sizes.states} states are not in {setting.states}, which this setting treats"
    if not all(setting.action_range[0] <= size <= setting.action_range[1] for size in sizes.actions):
        return f"action sizes {sizes.actions} are not all in {setting.action_range}, which this setting treats"
    if not 1 <= sizes.steps <= max(*setting.steps, LONG_RUNS.get(claim.id, 1)):
        return f"{sizes.steps} steps are more than a certificate of this claim may have"
    expected = setting.coordinates(sizes)
    names = {coordinate.name for coordinate in expected}
    if set(coordinates) != names:
        return f"missing or unknown coordinates: {sorted(names ^ set(coordinates))}"
    if sum(int(np.prod(coordinate.shape)) for coordinate in expected) > MAX_ENTRIES:
        return f"the instance has more than {MAX_ENTRIES} integers"
    return next((bad for c in expected if (bad := _coordinate_complaint(c, coordinates[c.name]))), None)


def _coordinate_complaint(coordinate: Coordinate, values: Any) -> str | None:
    """Why nested lists are not what a coordinate takes; None if they are.

    The range of a table means something (``|share| ≤ 1``); other upper ranges only say what is drawn.
    """
    name, kind = coordinate.name, coordinate.kind
    numbers: list[int] = []

    def fits(part: Any, shape: tuple[int, ...]) -> bool:
        if not shape:
            numbers.append(part)
            return type(part) is int
        return isinstance(part, list) and len(part) == shape[0] and all(fits(p, shape[1:]) for p in part)

    if not fits(values, coordinate.shape):
        return f"the coordinates {name} are no integers of shape {coordinate.shape}"
    high = {"integer": coordinate.high, "rare": MAX_ERROR}.get(kind, MAX_INTEGER)
    low = -MAX_ERROR if kind == "rare" else coordinate.low
    if not all(low <= number <= high for number in numbers):
        return f"the coordinates {name} are not all from {low} to {high}"
    if kind == "rare" and sum(map(abs, numbers)) > MAX_ERRORS:
        return f"the coordinates {name} add up to more than {MAX_ERRORS}"
    if kind == "weight" and not np.asarray(values).any(-1).all():
        return f"a row of {name} has no weight"
    return None


# --- the certificates of this project -------------------------------------------------------------------------------


def certificate_by_audit(claim: str, seed: int = 0) -> Certificate:
    """The certificate of the counterexample that an audit finds; ClaimError where it finds none."""
    entry = find(claim)
    report = audit([entry], seed=seed)[entry.id]
    if report.standing is not Standing.REFUTED or report.witness is None:
        raise ClaimError(f"{entry.id} is {report.standing.value}, so there is no counterexample to certify")
    return certificate_of(entry, report.witness.sizes, report.witness.coordinates)


def _errors(steps: int, errors: dict[int, int]) -> list[int]:
    return [errors.get(k, 0) for k in range(steps)]


def _bandit(base: list[int], steps: int, errors: dict[int, int]) -> tuple[str, Sizes, dict[str, Any]]:
    coordinates = {"increments.base": base, "increments.errors": _errors(steps, errors)}
    return "theorem-4.5/i", Sizes(1, (2,), steps), coordinates


SHIPPED: dict[str, tuple[str, Sizes, dict[str, Any]]] = {
    "lemma-b.1-path-wise": (
        "lemma-b.1/path-wise",
        Sizes(1, (2,), 4),
        {"slopes": [[[0], [0]], [[2], [2]]], "offsets": [[0, 0], [0, 0]], "chances": [1, 2], "rival": [-1]},
    ),
    "lemma-b.1-printed-range": (
        "lemma-b.1/printed-range",
        Sizes(2, (1,)),
        {"slopes": [[[7, 5], [-5, -7]]], "offsets": [[0, 0]], "chances": [1], "rival": [-6, 6]},
    ),
    "lemma-b.1-printed-range-by-hand": (
        "lemma-b.1/printed-range",
        Sizes(2, (1,)),
        {"slopes": [[[-5, 0], [4, 3]]], "offsets": [[0, 0]], "chances": [1], "rival": [1, -3]},
    ),
    "lemma-b.2": (
        "lemma-b.2/printed-gradient-bound",
        Sizes(1, (1,)),
        {
            "radius": [1, 1],
            "bound": [1, 2],
            "beta": [1, 1],
            "theta": [1],
            "anchor": [-1],
            "features": [1],
            "share": 0,
        },
    ),
    "lemma-b.4": (
        "lemma-b.4",
        Sizes(1, (2,)),
        {
            "game.transition": [[[1], [1]]],
            "game.reward": [[0, 0]],
            "game.discount": [0, 1],
            "target.1": [[[0, 1]]],
            "policy.1": [[[1, 1]]],
            "error.1": [[1, 0]],
            "noise.1": [[0, 0]],
        },
    ),
    "lemma-b.4-factor-two": (
        "lemma-b.4/factor-two",
        Sizes(1, (2,)),
        {
            "game.transition": [[[1], [1]]],
            "game.reward": [[0, 0]],
            "game.discount": [0, 1],
            "target.1": [[[1, 0]]],
            "policy.1": [[[15, 1]]],
            "error.1": [[0, 1]],
            "noise.1": [[0, 0]],
        },
    ),
    "theorem-4.5-i": _bandit([1, 1], 23, {11: 26}),
    "theorem-4.5-i-two-errors": _bandit([3, 2], 20, {6: -6, 7: 34}),
    "theorem-4.5-i-long": _bandit([1, 26], 1000, {500: 110}),
    "theorem-4.5-ii": ("theorem-4.5/ii", Sizes(1, (2,), 28), {"beta": [14, 34], "when": 15}),
    "abstract-rate": ("abstract-rate", Sizes(1, (2,), 1250), {"horizon": 100}),
    "abstract-rate-long": ("abstract-rate", Sizes(1, (2,), 5_000), {"horizon": 200}),
    "equation-1-any-fit": (
        "equation-1/any-fit",
        Sizes(1, (2,)),
        {"policy": [1, 1], "data": [1, 1], "features": [[0], [1]], "values": [2, 1]},
    ),
    "definition-3.1-conditional-readings": (
        "definition-3.1/conditional-readings",
        Sizes(1, (2, 2)),
        {
            "game.transition": [[[0, 1], [0, 1], [0, 1], [1, 0]]],
            "game.reward": [[0, 0, 0, 1]],
            "game.discount": [1, 0],
            "policy.1": [[[1, 1]]],
            "policy.2": [[[1, 0], [0, 1]]],
        },
    ),
    "lemma-b.3-zero-mean-intervention": (
        "lemma-b.3/zero-mean-intervention",
        Sizes(1, (2, 2)),
        {
            "game.transition": [[[1, 0], [1, 0], [0, 1], [0, 1]]],
            "game.reward": [[0, 0, 1, 0]],
            "game.discount": [1, 0],
            "policy.1": [[[1, 1]]],
            "policy.2": [[[0, 1], [1, 0]]],
        },
    ),
    "proposition-4.2-averaged-unique": (
        "proposition-4.2/averaged-unique",
        Sizes(2, (2,)),
        {
            "beta": [1, 1],
            "policy": [[1, 1], [1, 1]],
            "values": [[1, 1], [1, 1]],
            "candidate": [[1, 2], [1, 1]],
            "data": [0, 1],
        },
    ),
    "section-4.3-equilibria-are-optimal": (
        "section-4.3/equilibria-are-optimal",
        Sizes(1, (2, 2)),
        {
            "game.transition": [[[1, 0], [1, 0], [1, 0], [1, 0]]],
            "game.reward": [[0, 0, 0, 1]],
            "game.discount": [0, 1],
            "policy.1": [[1, 0]],
            "policy.2": [[1, 0]],
        },
    ),
    "section-e-printed-value": ("section-e/printed-value", Sizes(1, (2, 2)), {"y": [0, 1]}),
    "section-e-stationary-policy": ("section-e/stationary-policy", Sizes(1, (2, 2)), {"y": [0, 1]}),
    "section-e-update": (
        "section-e/update",
        Sizes(1, (2, 2)),
        {"policy.1": [[[1, 1]]], "policy.2": [[[1, 1], [1, 1]]]},
    ),
    "section-e-score": (
        "section-e/score",
        Sizes(1, (2, 2)),
        {"policy.1": [[[3, 2]]], "policy.2": [[[9, 1], [1, 4]]]},
    ),
    "remark-5.2": (
        "remark-5.2",
        Sizes(1, (2,)),
        {
            "game.transition": [[[0, 1], [0, 1]]],
            "game.reward": [[0, 1]],
            "game.discount": [0, 1],
            "policy.1": [[[1, 1]]],
            "tables.1": [[1, 1]],
        },
    ),
    "section-c.1-constrained": (
        "section-c.1/constrained",
        Sizes(2, (1,)),
        {
            "game.transition": [[[0, 1]], [[0, 1]]],
            "game.reward": [[0], [0]],
            "game.discount": [9, 1],
            "heights": [5, 10],
            "seen": [1, 0],
            "share": [6, 10],
        },
    ),
    "section-c.1-closed-form-in-class": (
        "section-c.1/closed-form-in-class",
        Sizes(1, (1,)),
        {
            "game.transition": [[[1]]],
            "game.reward": [[0]],
            "game.discount": [1, 1],
            "game.start": [1],
            "policy.1": [[[1]]],
            "mu": [1],
            "price": [1, 1],
        },
    ),
    "section-c.2-completeness": (
        "section-c.2/completeness",
        Sizes(2, (1,)),
        {
            "game.transition": [[[0, 1]], [[0, 1]]],
            "game.reward": [[0], [5]],
            "game.discount": [1, 1],
            "seen": [1, 1],
        },
    ),
    "lemma-c.2-realizable": ("lemma-c.2/realizable", Sizes(5, (2,)), {"shares": [1, 1]}),
    "lemma-c.3-all-agents": ("lemma-c.3/all-agents", Sizes(4, (2, 2)), {"shares": [1, 1]}),
    "lemma-c.3-reward-error": (
        "lemma-c.3/reward-error",
        Sizes(1, (1,)),
        {
            "game.transition": [[[1]]],
            "game.reward": [[9]],
            "game.discount": [1, 1],
            "game.start": [1],
            "policy.1": [[[1]]],
            "mu": [1],
            "price": 1,
        },
    ),
    "theorem-5.5-two-agents": ("theorem-5.5/two-agents", Sizes(4, (2, 2), 20_000), {"shares": [1, 1]}),
    "theorem-5.5-two-agents-long": ("theorem-5.5/two-agents", Sizes(4, (2, 2), 40_000), {"shares": [1, 1]}),
    "theorem-5.5-one-agent": ("theorem-5.5/one-agent", Sizes(5, (2,), 2_000), {"shares": [1, 1]}),
    "theorem-5.5-one-agent-long": ("theorem-5.5/one-agent", Sizes(5, (2,), 10_000), {"shares": [1, 1]}),
    "theorem-d.7": ("theorem-d.7", Sizes(1, (2,), 40_000), {"samples": 1, "certainty": 20}),
    "theorem-d.7-any-constant": ("theorem-d.7/any-constant", Sizes(1, (2,)), {"constant": 10_000, "certainty": 20}),
}
"""File name without ``.json``: claim, sizes, instance.  Found by audits (seed 0) and shrunk, or made by hand."""

ABOUT: dict[str, str] = {
    "lemma-b.1-path-wise": "Lemma B.1 read without an expectation",
    "lemma-b.1-printed-range": "Lemma B.1 with the average over θ(1), ..., θ(T); found by the audit",
    "lemma-b.1-printed-range-by-hand": "the same, made by hand",
    "lemma-b.2": "the gradient bound with R in place of 2R, squared",
    "lemma-b.4": "Lemma B.4, squared",
    "lemma-b.4-factor-two": "Lemma B.4 with a factor 2 to spare, squared",
    "theorem-4.5-i": "Theorem 4.5, summed form, one error in 23 steps",
    "theorem-4.5-i-two-errors": "the same, two errors in 20 steps",
    "theorem-4.5-i-long": "the same, one error in 1000 steps",
    "theorem-4.5-ii": "Theorem 4.5 with its own step size",
    "abstract-rate": "the abstract's rate with constant 10, 1/(1-γ) = 100, K = 1250",
    "abstract-rate-long": "the same, 1/(1-γ) = 200, K = 5000",
    "remark-5.2": "Remark 5.2 read as a consequence: any features realize every Q",
    "section-c.1-constrained": "the Bellman error over the class is convex: E(8) against (E(6) + E(10))/2",
    "section-c.1-closed-form-in-class": "the closed form stays in the class",
    "section-c.2-completeness": "a realizable feature is complete",
    "lemma-c.2-realizable": "Lemma C.2 with realizability alone, and the constant 1000",
    "lemma-c.3-all-agents": "Lemma C.3 for all agents at once",
    "lemma-c.3-reward-error": "Lemma C.3's bound on the rewards",
    "theorem-5.5-two-agents": "Theorem 5.5, two agents, complete classes, K = 20,000",
    "theorem-5.5-two-agents-long": "the same, K = 40,000",
    "theorem-5.5-one-agent": "Theorem 5.5, one agent, a unique optimum, K = 2,000",
    "theorem-5.5-one-agent-long": "the same, K = 10,000",
    "theorem-d.7": "Theorem D.7 with constants 2√2 and 10, K = 40,000 and n = K⁴",
    "theorem-d.7-any-constant": "the same with both constants 10,000, K = 2.5 · 10¹³",
    "section-e-printed-value": "Section E's value at the stationary point rounds to .46; the error",
    "section-e-stationary-policy": "V is stationary at (1/2, 0); the slope in x",
    "section-e-update": "the simulated update moves agent 1's logits as Algorithm 1 does",
    "section-e-score": "the simulated score is the policy's value",
    "equation-1-any-fit": "the least-squares fit is the ideal update for any features",
    "definition-3.1-conditional-readings": "conditioning and intervention agree on all subsets",
    "lemma-b.3-zero-mean-intervention": "advantages have mean 0 on all subsets under intervention",
    "proposition-4.2-averaged-unique": "the averaged objective determines the step everywhere",
    "section-4.3-equilibria-are-optimal": "every Nash equilibrium is optimal, which the paper denies",
}
"""What each of these files shows, in a few words, in the order of the table in ``certificates/README.md``."""


def main(arguments: list[str]) -> int:
    """Write every shipped certificate into a folder."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m mappo_verify.checking.certificate FOLDER\n")
        return 2
    for name, (claim, sizes, coordinates) in SHIPPED.items():
        write_certificate(certificate_of(claim, sizes, coordinates), Path(arguments[0]) / f"{name}.json")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
