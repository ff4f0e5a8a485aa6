"""Where the numbers of a line come from, told by the source of the proof."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import like
from mappo_verify.checking import sources
from mappo_verify.checking.certificate import read_certificate
from mappo_verify.checking.evaluate import certify
from mappo_verify.checking.explain import explain
from mappo_verify.checking.sources import Source, each_once, sources_of
from mappo_verify.papers.registry import CLAIMS, claim
from mappo_verify.quantities.update_errors import Update
from mappo_verify.quantities.values import returns, state_values


def names_of(name, seed=0):
    found, evidence, _ = explain(name, seed=seed)
    return [tuple(q.name for q in source.quantities) for source in sources_of(found, evidence)]


def test_each_line_has_its_own_quantities():
    first, *_, last = names_of("lemma-4.1")
    assert first == ("returns",) and last == ("return_difference",)
    lines = names_of("section-3.1")
    assert lines[:3] == [
        ("state_values",),
        ("induced_reward", "induced_transition", "state_values"),
        ("Policy.joint", "action_values"),
    ]  # though one assignment makes values, action values and visits at once


def test_helpers_methods_and_derived_ingredients_are_followed():
    evidence = mv.audit(["theorem-4.5/ii"])["theorem-4.5/ii"].witness.evidence
    left, right = (tuple(q.name for q in s.quantities) for s in sources_of(claim("theorem-4.5/ii"), evidence))
    assert "returns" in left and "kl_divergence" not in left
    assert {"propagation", "residual", "Update.delta_upper", "Update.delta_lower"} <= set(right)


def test_a_quantity_says_what_it_is():
    found, evidence, _ = explain("lemma-4.1")
    (quantity,) = sources_of(found, evidence)[0].quantities
    assert (quantity.name, quantity.module) == (returns.__name__, returns.__module__)
    assert quantity.about == "J_ρ(π) = Σ_s ρ(s) V_π(s)"


CERTIFICATES = {
    found.claim: found
    for found in map(read_certificate, sorted((Path(__file__).parents[1] / "certificates").glob("*.json")))
}  # of two for one claim the shorter


def shown(entry):
    """Evidence on a drawn instance; for a refuted claim on its certificate."""
    if entry.record is not mv.Standing.REFUTED:
        return explain(entry)[1]
    found = CERTIFICATES[entry.id]
    return certify(entry, lambda system: entry.setting.case(found.coordinates, found.sizes, system))


@pytest.mark.parametrize("entry", CLAIMS, ids=lambda entry: entry.id)
def test_no_line_of_the_registry_is_without_source(entry):
    evidence = shown(entry)
    sources = sources_of(entry, evidence)
    assert len(sources) == len(evidence.lines) > 0
    for line, source in zip(evidence.lines, sources, strict=True):
        assert bool(source.quantities or source.given) is not source.constant, line.expression
        assert all(quantity.about for quantity in source.quantities)


def words(source):
    """As the terminal has them: what by, what given."""
    return (
        " ".join([*(q.name for q in source.quantities), *(f"({one.name})" for one in source.given)]) or source.constant
    )


READ = {
    "lemma-b.4/repaired": [
        "state_action_distribution stationary_distribution (error)",
        "state_action_distribution stationary_distribution density_ratio (error)",
        "squared_concentrability stationary_distribution state_action_distribution density_ratio (error)",
        "squared_concentrability stationary_distribution squared_norm state_action_distribution density_ratio (policy)",
    ]
    * 2,
    "lemma-b.5/b": [
        "state_action_distribution stationary_distribution (noise) (target) (policy)",
        "squared_concentrability stationary_distribution squared_norm state_action_distribution",
        "propagation squared_concentrability stationary_distribution squared_norm state_action_distribution",
    ]
    * 2,
    "lemma-b.5/sharp": [
        "state_action_distribution stationary_distribution (error) (target) (policy)",
        "squared_concentrability stationary_distribution squared_norm state_action_distribution",
        "state_action_distribution stationary_distribution (noise) (target) (policy)",
        "squared_concentrability stationary_distribution squared_norm state_action_distribution",
    ]
    * 2,
    "lemma-b.2/gradient-bound": [
        "(radius) (theta) (anchor) (features) (bound) (share) (beta)",
        "(radius) (theta) (anchor) (features) (bound) (share) (beta)",
        "gradient_bound",
    ],
    "lemma-c.3/each-agent": ["agent_values implied_game", "(critics)"] * 2,
    "proposition-4.2/solver": [
        "mirror_objective mirror_step_by_cvxpy",
        "mirror_objective mirror_step",
        "mirror_objective mirror_step mirror_step_by_cvxpy",
        "(beta)",
    ],
    "assumption-d.1": [
        "FiniteClass.backups Game.horizon",
        "Game.horizon (game) (critics)",
        "Game.horizon",
        "agent_values",
        "Game.horizon",
    ],
    "section-e/constant": ["ratio_value ratio independent_weights", True],
    "theorem-d.7/any-constant": [True, "(constant) (certainty)"],
}


@pytest.mark.parametrize("name", READ)
def test_sources_as_a_reader_of_the_proof_finds_them(name):
    assert [words(source) for source in sources_of(claim(name), shown(claim(name)))] == READ[name]


def test_only_what_the_branch_uses():
    """One helper proves both repairs; only the sharp one weighs the critic's error with ``√((φ^m)² - (φ^{m-1})²)``."""
    plain, sharp = (
        {q.name for q in sources_of(claim(name), shown(claim(name)))[-1].quantities}
        for name in ("theorem-4.5/repaired", "theorem-4.5/repaired-sharp")
    )
    assert "Update.delta_upper" in plain - sharp and {"Update.epsilon_hat", "Update.squared_phi"} <= sharp - plain


GAME = mv.Setting("a game and a policy", (mv.GameData("game"), mv.PolicyData("policy")))


def helper(case):
    return state_values(case.game, case.policy)


def own_proof(case):
    for values in (helper(case),):
        unused = mv.advantages(case.game, case.policy)
        del unused
        total: object = 0 * values
        total += values
        yield mv.line("V", (same := total))
    yield mv.equal("V again", same, because="the same")
    yield mv.equal("V + 0", values + mv.like(0, mv.advantages(case.game, case.policy)).sum(), because="0 adds nothing")


def test_a_proof_of_ones_own_and_its_helpers():
    game = mv.named_game("two-step")
    own = mv.Claim("mine", "t", "s", GAME, own_proof)
    evidence = mv.check(own, game=game, policy=mv.Policy.uniform(game))
    found = [tuple(q.name for q in source.quantities) for source in sources_of(own, evidence)]
    assert found == [("state_values",)] * 3


def traced(proof, setting=None, **objects):
    own = mv.Claim("mine", "t", "s", setting or GAME, proof)
    game = objects.pop("game", None) or mv.named_game("two-step")
    needed = {ingredient.name for ingredient in own.setting.ingredients}
    known = {"game": game, "policy": mv.Policy.uniform(game)} | objects
    evidence = mv.check(own, **{name: value for name, value in known.items() if name in needed})
    return [words(source) for source in sources_of(own, evidence)]


def compared(case, left, right, bound, scale=1):
    yield mv.line("left", scale * left)
    yield mv.equal("right", scale * right(case.game), because="they are the same")
    yield mv.at_most("bound", bound["upper"], because="it is larger")


def test_parameters_stand_for_what_the_caller_hands_over():
    def right(game):
        return mv.state_values(game, mv.Policy.uniform(game))

    def proof(case):
        limits = {
            "upper": mv.advantages(case.game, case.policy).max(-1) + 99,
            "lower": mv.visits(case.game, case.policy),
        }
        yield from compared(case, state_values(case.game, case.policy), bound=limits, right=right)

    assert traced(proof) == ["state_values", "state_values Policy.uniform", "advantages"]

    def by_lambda(case):
        yield from compared(
            case, scale=case.game.horizon, bound={"upper": case.game.reward.max() * 10**6}, left=0,
            right=lambda game: 0 * mv.visits(game, case.policy),
        )  # fmt: skip

    assert traced(by_lambda, game=mv.named_game("two-step").with_discount(Fraction(1, 2))) == [
        "Game.horizon",
        "Game.horizon visits",
        "(game)",
    ]


SCALARS = mv.Setting("two numbers", (mv.PositiveScalar("size"), mv.PositiveScalar("other")), ())


def test_ingredients_and_constants():
    def proof(case):
        yield mv.line("size", case.size)
        yield mv.at_most("size + 1", case.size + 1, because="1 > 0")
        yield mv.at_most("100", like(100, case.other), because="it is small")
        yield mv.line("0", 0)
        yield mv.at_most("other²", case.objects["other"] * case.objects.get("other"), because="a square")

    assert traced(proof, SCALARS, size=Fraction(1, 2), other=Fraction(3)) == ["(size)", "(size)", True, True, "(other)"]


def test_derived_ingredients_are_followed_unless_they_are_fixed():
    one, two = mv.Derived("one", lambda case: case.size), mv.Derived("two", lambda case: case.other)  # two on one line
    fixed = mv.Derived("fixed", lambda _: np.array([Fraction(1, 2), Fraction(2)]))
    setting = mv.Setting("two numbers, and what follows", (*SCALARS.ingredients, one, two, fixed), steps=(3, 3))

    def proof(case):
        yield mv.line("one", case.one)
        yield mv.at_most("two", case.two, because="so chosen")
        yield mv.at_most("99 K", 99 * case.sizes.steps + like(0, case.two), because="it is large")
        yield mv.line("fixed", case.fixed[1])
        yield mv.equal("2", 2, because="so fixed")

    numbers = {"size": Fraction(1), "other": Fraction(3)}
    assert traced(proof, setting, **numbers) == ["(size)", "(other)", "(steps)", "(fixed)", True]
    own = mv.Claim("mine", "t", "s", setting, proof)
    _, given = each_once(sources_of(own, mv.check(own, **numbers)))
    about = ["a number", "a number", "the number of steps", "2 numbers"]
    assert [one.about for one in given] == about


def test_the_same_name_of_another_class_or_module_is_no_source():
    """``Update.epsilon`` is a method and ``case.epsilon`` an ingredient; ``ratio`` a game and here a number."""
    setting = mv.Setting("two numbers", (mv.PositiveScalar("epsilon"), mv.PositiveScalar("here")), ())

    def proof(case):
        ratio = case.epsilon / case.here
        yield mv.line("ε/h", ratio)
        yield mv.equal("h/ε", case.here / case.epsilon, because="both are 1")

    assert Update.epsilon and Update.here
    assert traced(proof, setting, epsilon=Fraction(2), here=Fraction(2)) == ["(epsilon) (here)", "(here) (epsilon)"]


@dataclass(frozen=True, eq=False)
class Step:
    values: object
    moved: object

    @property
    def gap(self):
        return self.values - self.moved

    def worst(self, table):
        return (self.gap + table).max()


def steps(case):
    found = []
    for policy in (case.policy, mv.Policy.uniform(case.game)):
        moved = mv.visits(case.game, policy)
        found.append(Step(state_values(case.game, policy), moved=moved))
    return found


def test_fields_methods_and_what_a_loop_collects():
    def proof(case):
        every = steps(case)
        named = {step: step.moved for step in every}
        yield mv.line("V", sum(step.values for step in every))
        yield mv.at_most("worst", every[-1].worst(99 + case.game.reward.max()), because="99 is much")
        for step, moved in named.items():
            yield mv.line("d", moved)
            yield mv.equal("d again", step.moved, because="it is")

    assert traced(proof) == [
        "state_values Policy.uniform",
        "state_values Policy.uniform visits (game)",
        *["visits Policy.uniform"] * 4,
    ]


def test_the_assignment_that_reaches_the_line():
    def proof(case):
        values = state_values(case.game, case.policy)
        yield mv.line("V", values)
        values = mv.advantages(case.game, case.policy)
        yield mv.line("A", values)
        left, (right, *rest) = values, (mv.visits(case.game, case.policy), case.game.reward, 1)
        if right is left:
            left = 0 * case.policy.joint()
        yield mv.line("A or 0", left)
        for table in (left, right):
            left = table * 0
        yield mv.line("0 d", left)
        yield mv.line("rest", rest[0])
        yield mv.equal("the same", rest[0], because="it is")

    assert traced(proof) == [
        "state_values",
        "advantages",
        "Policy.joint advantages",
        "Policy.joint advantages visits",
        *["visits (game)"] * 2,  # one of the three, at least
    ]


def test_lines_that_are_passed_on():
    """From a list, a generator expression, a helper that makes the line, a loop over another proof; from partial proofs."""

    def one(case, name):
        return mv.equal(name, mv.state_values(case.game, case.policy), because="so it is")

    def proof(case, first):
        yield from [mv.line("V", first(case.game, case.policy)), one(case, "V again")]
        yield from (mv.line("r", table) for table in (case.game.reward, case.policy.joint()))
        for entry in own_proof(case):
            yield entry
            break

    assert traced(partial(proof, first=mv.state_values)) == [
        "state_values",
        "state_values",
        "(game)",
        "Policy.joint",
        "state_values",
    ]


def test_without_source_nothing_is_said():
    scope = {"line": mv.line, "equal": mv.equal, "state_values": state_values}
    exec(
        "def proof(case):\n"
        "    yield line('V', state_values(case.game, case.policy))\n"
        "    yield equal('V', state_values(case.game, case.policy), because='itself')\n",
        scope,
    )
    game = mv.named_game("two-step")
    own = mv.Claim("mine", "t", "s", GAME, scope["proof"])
    evidence = mv.check(own, game=game, policy=mv.Policy.uniform(game))
    assert sources_of(own, evidence) == [Source(), Source()]


def test_a_proof_that_is_no_generator_has_no_places():
    assert (
        traced(lambda case: [mv.line("r", case.game.reward), mv.equal("r", case.game.reward, because="it is")])
        == [False] * 2
    )


def test_nothing_is_said_where_hypotheses_fail():
    game = mv.named_game("shared-parameter:2")
    found, evidence, _ = explain("definition-4.4", game)
    assert evidence.verdict is mv.Verdict.NOT_APPLICABLE and sources_of(found, evidence) == []


# --- Python as users write it -------------------------------------------------------------------------------------------


THREE = mv.Setting("three numbers", (mv.PositiveScalar("one"), mv.PositiveScalar("two"), mv.PositiveScalar("three")))
NUMBERS = {name: Fraction(1, k) for k, name in enumerate(("one", "two", "three"), 2)}


def named(value):
    """What is named behind a function of the case, as a set."""

    def proof(case):
        found = value(case)
        yield mv.line("it", found)
        yield mv.equal("it again", found, because="it is")

    first, second = traced(proof, THREE, **NUMBERS)
    assert first == second
    return set(first.split()) if isinstance(first, str) else first


def factorial(n, x):
    return x if n == 0 else factorial(n - 1, x + x)


def even(n, x):
    return odd(n - 1, x) if n else x


def odd(n, x):
    return even(n - 1, x) if n else x


def by_map(n, x):
    return next(iter(map(partial(by_map, n - 1), [x]))) if n else x


@pytest.mark.parametrize("recursive", [factorial, even, by_map])
def test_functions_that_call_themselves_come_to_an_end(recursive):
    assert named(lambda case: recursive(2, case.one)) == {"(one)"}


def copies(case):
    x = case.one
    for _ in range(2):
        x = x.copy()
        x = x.reshape(x.shape)
        x = x.copy()
    return x


def conditions_on_themselves(case):
    flag, x = True, case.one
    for _ in range(2):
        flag = case.two if flag else 0
        if flag:
            flag = 0 * flag
    return x + flag


def indices_from_themselves(case):
    i, places = 0, [0, 0]
    for _ in range(2):
        i = places[i]
    return case.one + i


@pytest.mark.parametrize(
    ("value", "expected"),
    [(copies, {"(one)"}), (conditions_on_themselves, {"(one)", "(two)"}), (indices_from_themselves, {"(one)"})],
)
def test_loops_in_which_a_name_depends_on_itself_come_to_an_end(value, expected):
    assert named(value) == expected


def in_a_test(case):
    if (x := case.one) is not None:
        pass
    while (y := case.two) is None:
        pass
    return x + y


def in_the_branch(case):
    if (x := case.one) is not None:
        return x + case.two
    return x


def after_a_loop(case):
    x, k = case.one, 0
    while k < 1:
        k += 1
    else:
        x = x + case.two
    for _ in ():
        pass
    else:
        x = x * 1
    return x


def tried(case):
    try:
        x = case.one
    except ZeroDivisionError:
        x = case.two
    else:
        x = x + 0
    finally:
        y = case.three
    return x + y


def handled(case):
    x = case.one
    try:
        x = case.two
        raise KeyError
    except KeyError:
        return x


def within(case):
    with nullcontext(case.one) as x, nullcontext(case.two) as y:
        z = x
        inside = z + y
    return inside + y


def matched(case):
    match (case.one, case.two):
        case (x, y):
            inside = x + y
    match {"k": case.three}:
        case {"k": z}:
            pass
    return inside + z


def matched_inside(case):
    match kept := case.one:
        case x:
            return x + kept


def keywords(**known):
    return known["x"]


def keyword(*, x, y):
    return x + 0 * y


def unpacked(case):
    chosen = {"x": case.one, "y": case.two}
    return keywords(x=case.one, y=case.three) + keywords(**chosen) + keyword(**chosen)


def put_in(case):
    box, some, several = {}, [], [0 * case.one]
    box.update(x=case.one)
    some.insert(0, case.two)
    several.extend([case.three])
    return box["x"] + some[0] + several[-1]


class Box:
    def __init__(self, case, other):
        self.case, self.unused = case, case.three
        self.kept = case.one
        self.other = other

    def both(self):
        return self.kept + self.other


def objects(case):
    box = Box(case, case.two)
    return box.both() + 0 * box.kept


def set_from_outside(case):
    box = Box(case, case.two)
    box.other = case.three
    return box.other


def by_name(case):
    return getattr(case, "one") + getattr(case, "two", 0)  # noqa: B009


ONE, ALL = {"(one)"}, {"(one)", "(two)", "(three)"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (in_a_test, ALL - {"(three)"}),
        (in_the_branch, ALL - {"(three)"}),
        (after_a_loop, ALL - {"(three)"}),
        (tried, ALL),
        (handled, ALL - {"(three)"}),
        (within, ALL - {"(three)"}),
        (matched, ALL),
        (matched_inside, ONE),
        (unpacked, ALL - {"(three)"}),
        (put_in, ALL),
        (objects, ALL - {"(three)"}),
        (set_from_outside, {"(two)", "(three)"}),
        (by_name, ALL - {"(three)"}),
    ],
)
def test_what_enters_a_value_is_named(value, expected):
    assert named(value) == expected


def test_what_cannot_be_read_ends_no_walk_through(monkeypatch):
    monkeypatch.setattr(sources, "facts_behind", lambda _: factorial(-1, 1))
    assert named(lambda case: case.one) is False
