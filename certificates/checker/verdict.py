"""The verdict on one file: every recorded field is compared with what is computed here."""

from __future__ import annotations

from typing import Any

from .claim import CLAIMS, KINDS
from .claims import SECTIONS
from .files import Instance, checksum, recorded
from .kernel import Interval, Rejected, interval, require

assert SECTIONS  # importing them enters their claims


def check(fields: dict[str, Any]) -> str:
    """What the certificate proves, in words; :class:`Rejected` if it proves nothing."""
    known = CLAIMS.get(fields["claim"])
    if known is None:
        raise Rejected(
            f"no section for the claim {fields['claim'][:80]!r}; for a claim of your own use: "
            "mappo-verify certify --from YOUR_FILE.py CERTIFICATE"
        )
    for name in ("kind", "statement", "setting", "note"):
        require(fields[name] == getattr(known, name), f"the {name} is not that of {fields['claim']}")
    require(fields["hypotheses"] == list(known.hypotheses), f"the hypotheses are not those of {fields['claim']}")
    instance = Instance(fields)
    known.require_treated(instance)

    left, right = (recorded(fields[name], name) for name in ("left_value", "right_value"))
    above, below = left.low > right.high, left.high < right.low
    violated = {"≤": above, "≥": below, "=": above or below}.get(fields["relation"], False)
    require(violated, f"the recorded numbers do not contradict {fields['relation'][:20]!r}")
    require(
        fields["checksum"] == checksum(fields), "the checksum does not fit: something was changed since it was written"
    )

    found = known.compare(instance)
    unused = sorted((set(instance.coordinates) | set(instance.derived)) - instance.used)
    require(not unused, f"tables that do not belong to this claim: {str(unused)[:200]}")
    for name in ("left", "relation", "right"):
        require(fields[name] == getattr(found, name), f"{name} should read {getattr(found, name)!r}")

    # where both sides are rational both are recorded so, elsewhere neither: a number has one form in a file
    computed = interval(found.left_value), interval(found.right_value)
    exact = all(value.low == value.high for value in computed)
    for name, side, value in zip(("left_value", "right_value"), (left, right), computed, strict=True):
        inside = side.low <= value.low and value.high <= side.high
        require(
            inside and exact == (side.low == side.high), f"{name} is not {_shown(value)}, which this checker computes"
        )
    return (
        f"{fields['claim']} is false.\n"
        f"  claimed:  {known.statement}\n"
        f"  kind:     {known.kind}: {KINDS[known.kind]}\n"
        + (f"  scope:    {known.note}\n" if known.note else "")
        + f"  instance: {known.setting}\n"
        f"  left:     {found.left}  =  {_told(fields['left_value'])}\n"
        f"  right:    {found.right}  =  {_told(fields['right_value'])}\n"
        f"  left {found.relation} right fails."
    )


def _shown(value: Interval) -> str:
    size = max(abs(value.low), abs(value.high))
    if size > 10**300:
        return "a very large number"
    short = value.low == value.high and value.low.denominator < 10**20
    return str(value.low) if short else f"about {float(value.low):.15g}"


def _told(side: Any) -> str:
    return side if isinstance(side, str) else f"between {side[0]} and {side[1]}"
