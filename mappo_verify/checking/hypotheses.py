"""Asks a claim's hypotheses, and what else an instance must meet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial, reduce
from operator import and_
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arithmetic import FALSE, TRUE, UNKNOWN, Numbers
from ..arithmetic.one_instance import Truth, within_a_proof
from ..claims.along_runs import along_runs
from ..claims.case import ONE_LENGTH, Case, Hypothesis, Ingredient
from ..claims.claim import NUMERIC, Claim, blamed
from ..claims.coordinates import EVERY
from ..errors import ClaimError
from ..model.trees import leaves_of
from ..papers.registry import CLAIMS


def ask_hypotheses(claim: Claim, case: Case) -> tuple[tuple[tuple[str, Any], ...], Any, Case]:
    """The truth of every hypothesis, of all together, and the instances that meet them.

    A later hypothesis may make sense only under the earlier ones (a return exists where ``γ < 1``), so it is asked of those
    instances only that have met all before it, and is UNKNOWN for the others.
    """
    found: list[tuple[str, Any]] = []
    applies, live = np.full(case.several, TRUE, np.int8), case
    every = any(sizes.steps == EVERY for sizes in claim.symbolic)
    own = len(claim.setting.all_hypotheses)
    for place, hypothesis in enumerate(claim.hypotheses):
        truth = np.full(case.several, UNKNOWN, np.int8)
        seen = live if place < own else claim._in_general(live)
        with blamed(claim.id, f"in the hypothesis {hypothesis.name!r}"):
            asked = _asked(hypothesis, seen, every and (claim.general is None or place >= own))
        answer = per_instance(asked, live.several)
        truth[applies == TRUE] = answer.ravel()
        found.append((hypothesis.name, truth))
        if place >= own:
            _require_more_general(claim, live, hypothesis.name, answer)
        if (answer == TRUE).all():
            continue
        applies = np.where(applies == TRUE, truth, applies).astype(np.int8)
        if not (applies == TRUE).any():
            break
        live = live.take(answer == TRUE)
    if (applies == TRUE).any():
        mine = [(said, per_instance(asked, live.several)) for said, asked in _besides(claim, live)]
        more = [(said, per_instance(asked, live.several)) for said, asked in besides_in_general(claim, live)]
        for said, answer in more:
            _require_more_general(claim, live, said, answer)
        answers = mine + more
        for said, answer in answers:
            truth = np.full(case.several, UNKNOWN, np.int8)
            truth[applies == TRUE] = answer.ravel()
            found.append((said, truth))
        met = reduce(np.minimum, [answer for _, answer in answers], np.full(live.several, TRUE, np.int8))
        if not (met == TRUE).all():
            applies[applies == TRUE] = met.ravel()
            live = live.take(met == TRUE)
    return tuple(found), applies, live


def _asked(hypothesis: Hypothesis, case: Case, every: bool) -> Truth:
    """Its truth; where a proof for ``every`` number of steps may take it as given, as such a proof sees it, if that can be.

    Whether it can be does not depend on what was asked before.
    """

    def truth_of(seen: Case) -> Truth:
        found: Truth = along_runs(seen, partial(_truth_of, hypothesis), lambda parts, join: join(parts), formal=False)
        return found

    if not every or (known := hypothesis._of_any_length(case)) == ONE_LENGTH:
        return truth_of(case)
    try:
        return truth_of(case._of_any_length())
    except NUMERIC:
        raise
    except Exception:
        if known is not None:
            raise
        hypothesis._needs_one_length(case)
    return truth_of(case)


def _truth_of(hypothesis: Hypothesis, case: Case) -> Truth:
    return Truth.of(hypothesis.truth(case))


def _besides(claim: Claim, case: Case) -> Iterator[tuple[str, Truth]]:
    """What else must be true: the signs that proofs know, and that what a user gives is what follows."""
    yield from truths_of(case, claim.setting.ingredients)
    for name, given, derived in case.handed_in():
        yield f"{name} is what follows from the other ingredients", _same(given, derived)


def besides_in_general(claim: Claim, case: Case, formal: bool = False) -> Iterator[tuple[str, Truth]]:
    """The same of the instance as one of the more general setting, and that what both settings name is the same.

    A ``formal`` case stands for all parameters: what depends on them is undecided.
    """
    if claim.general is not None:
        general = claim._in_general(case)
        for name in claim.general.shared(claim.setting):
            with within_a_proof(formal):
                same = _same(getattr(case, name), getattr(general, name))
            yield f"{name} is that of the more general setting", same
        yield from truths_of(general, claim.general.unlike(claim.setting), formal)


def _require_more_general(claim: Claim, case: Case, said: str, truth: npt.NDArray[np.int8]) -> None:
    """An error where an instance that meets all that its own setting says is none of the one in which the claim is proved.

    Otherwise that setting would hide a hypothesis, which no reader of the claim is told.  Others have read the registered ones,
    which say what a user's objects must meet there, too.
    """
    assert claim.general is not None
    if claim in CLAIMS or not (truth == FALSE).any():
        return
    left_out = case.take(truth == FALSE)
    mine = [per_instance(asked, left_out.several) for _, asked in _besides(claim, left_out)]
    if (reduce(np.minimum, mine, np.full(left_out.several, TRUE, np.int8)) == TRUE).any():
        one, other = claim.setting.name, claim.general.setting.name
        raise ClaimError(
            f"claim {claim.id}: {other!r} is not more general: {said!r} is false of an instance of {one!r}; "
            f"make it a hypothesis of {one!r}"
        )


def truths_of(case: Case, ingredients: Iterable[Ingredient], formal: bool = False) -> Iterator[tuple[str, Truth]]:
    """What proofs know of these ingredients besides their hypotheses, as far as the system can tell."""
    for ingredient in ingredients:
        for fact in ingredient.facts():
            with within_a_proof(formal):
                truth = Truth.of(fact.truth(case))._not_refuted()
            yield fact.name, truth


def _same(given: Any, derived: Any) -> Truth:
    """Whether two objects have the same numbers, as far as the system can tell equal ones."""
    one_by_one, others = leaves_of(given), leaves_of(derived)
    pairs = [pair for pair in zip(one_by_one, others, strict=False) if isinstance(pair[0], Numbers)]
    if len(one_by_one) != len(others) or any(one.shape != two.shape for one, two in pairs):
        return Truth.of(False)
    return reduce(and_, [one.compare("=", two)._not_refuted().all() for one, two in pairs], Truth.of(True))


def per_instance(truth: Any, several: tuple[int, ...]) -> npt.NDArray[np.int8]:
    """Truth for every instance side by side: the axes of an instance mean "for all"."""
    given = Truth.of(truth).all()._parts[0]
    return np.broadcast_to(given, (int(np.prod(several, dtype=int)),)).reshape(several)
