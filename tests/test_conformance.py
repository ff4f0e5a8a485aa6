"""The conformance kit: what it passes, what it finds, how it says so; its border, its files, its doctor."""

import inspect
import json
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.conformance import (
    Case,
    Check,
    ConformanceTests,
    Failure,
    Slip,
    examine,
    on_trial,
    recheck,
    text_of,
)
from mappo_verify.conformance.arrays import rounding, to_library, to_numpy
from mappo_verify.conformance.check import as_floats, floats
from mappo_verify.conformance.compare import value_of
from mappo_verify.conformance.doctor import mutated, planted
from mappo_verify.conformance.estimates import bernstein
from mappo_verify.conformance.failures import write
from mappo_verify.conformance.registry import CHECKS
from mappo_verify.conformance.restore import restored, softmax
from mappo_verify.conformance.settings import Settings, using
from mappo_verify.conformance.suites import SUITES
from mappo_verify.conformance.trajectories import in_batch
from mappo_verify.errors import ConformanceError, FileError, MappoVerifyError

SEEDS = (0,)


def drawn(name, seed=0):
    return CHECKS[name].drawn(np.random.default_rng(seed))


def formula_hook(check, change=lambda value: value):
    """A hook that computes what the check computes, in floats, from all the arguments it may name."""

    def hook(**arguments):
        result = np.asarray(check.evaluate(restored(check, arguments)), float)
        return change(result[..., None] + 0 * arguments["old_log_probs"] if check.hook == "kl_estimate" else result)

    return hook


# --- the checks themselves --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHECKS)
def test_what_is_right_passes_and_every_slip_shows(name):
    """In float32 as well; each known slip changes some result by a thousandth at least, on every seed."""
    check = CHECKS[name]
    for seed in SEEDS:
        cases = drawn(name, seed)
        for dtype in ("float64", "float32"):
            assert examine(check, formula_hook(check), cases, dtype=dtype) is None
        plain = [floats(case.inputs) for case in cases]
        exact = [as_floats(np.asarray(check.evaluate(case.inputs))) for case in cases]
        for slip in check.with_sign():
            slipped = [value_of(slip, check.evaluate, each) for each in plain]
            assert all(s.shape == e.shape for s, e in zip(slipped, exact, strict=True)), slip.name
            assert any((~(np.abs(s - e) <= 1e-3 * np.abs(e))).any() for s, e in zip(slipped, exact, strict=True)), (
                slip.name
            )


@pytest.mark.parametrize("name", CHECKS)
def test_a_wrong_number_in_one_place_is_found(name):
    def spoilt(value):
        value = np.array(value)
        value.flat[-1] += 1e-2 + 1e-2 * abs(value.flat[-1])
        return value

    assert examine(CHECKS[name], formula_hook(CHECKS[name], spoilt), drawn(name)) is not None


def test_every_hook_has_a_test_and_every_test_a_hook():
    hooks = {name for suite in SUITES for name, value in vars(suite).items() if value is None}
    tests = {name.removeprefix("test_") for suite in SUITES for name in vars(suite) if name.startswith("test_")}
    assert hooks == tests == set(CHECKS)
    for check in CHECKS.values():
        names = [argument.name for argument in check.arguments]
        assert len(set(names)) == len(names) and {name for group in check.needs for name in group} <= set(names)
        assert check.formula and check.source and len({slip.name for slip in check.slips}) == len(check.slips)


def test_trajectories_agree_with_an_oracle_of_sums():
    """GAE as the double sum of its definition, episode by episode, in fractions."""
    for case in drawn("gae", 3):
        x = case.inputs
        steps, result = len(x["rewards"]), CHECKS["gae"].evaluate(x)
        for t in range(steps):
            total, weight = 0, 1
            for k in range(t, steps):
                following = (
                    0 if x["terminated"][k] else x["final_values"][k] if x["truncated"][k] else x["values"][k + 1]
                )
                total = total + weight * (x["rewards"][k] + x["gamma"] * following - x["values"][k])
                weight = weight * x["gamma"] * x["lam"]
                if x["terminated"][k] or x["truncated"][k]:
                    break
            assert result[t] == total


def test_trajectories_agree_with_the_quantities():
    """What the kit composes slips from is what :mod:`mappo_verify.quantities` computes, in fractions."""
    q = mv.quantities
    for seed, batch in ((0, ()), (1, (3,))):
        generator = np.random.default_rng(seed)
        for case in CHECKS["vtrace"].cases(generator):
            x = (in_batch(case, batch, generator) if batch else case).inputs
            common = (x["terminated"], x["truncated"], x["gamma"])
            for name, right in (
                ("gae", q.gae(x["rewards"], x["values"], *common, x["lam"], x["final_values"])),
                ("lambda_returns", q.lambda_returns(x["rewards"], x["values"], *common, x["lam"], x["final_values"])),
                ("n_step_returns", q.n_step_returns(x["rewards"], x["values"], *common, x["n"], x["final_values"])),
                (
                    "vtrace",
                    q.vtrace_targets(
                        x["rewards"],
                        x["values"],
                        x["ratios"],
                        *common,
                        x["lam"],
                        x["rho_max"],
                        x["c_max"],
                        x["final_values"],
                    ),
                ),
            ):
                assert (CHECKS[name].evaluate(x) == right).all(), name


def test_policies_and_agents_agree_with_the_quantities():
    q = mv.quantities
    for case in CHECKS["update"].cases(np.random.default_rng(0)):
        x = case.inputs
        rows, tables = x["policy"][:, None], x["advantages"][:, None]
        weights = x["weights"][:, None]
        ours = CHECKS["fisher_vector_product"].evaluate({**x, "damping": 0})
        assert (ours == q.fisher_vector_product(weights, rows, x["vector"][:, None])[:, 0]).all()
        ours = CHECKS["policy_gradient"].evaluate(x)
        assert (ours == q.linear_surrogate_gradient(weights, rows, tables)[:, 0]).all()
        assert CHECKS["mean_kl"].evaluate(x) == q.average_kl(weights, rows, x["new"][:, None])
    for case in CHECKS["state_values"].cases(np.random.default_rng(0)):
        x = case.inputs
        game = mv.Game(x["transition"], x["reward"], x["discount"], start=x["start"])
        policy = mv.Policy.product([x["policy"]])
        assert (CHECKS["state_values"].evaluate(x) == mv.state_values(game, policy)).all()
        assert (CHECKS["visits"].evaluate(x) == mv.visits(game, policy)).all()
        assert (CHECKS["optimal_values"].evaluate(x) == mv.optimal(game).values).all()
    for case in CHECKS["counterfactual_advantage"].cases(np.random.default_rng(0)):
        x = case.inputs
        states, *sizes = x["q"].shape
        flat = x["q"].reshape(states, -1)
        game = mv.Game(
            mv.like(np.zeros((states, flat.shape[1], states), int), flat),
            flat,
            mv.like(0, flat)[()],
            tuple(sizes),
            start=mv.like([1] + [0] * (states - 1), flat),
        )
        policy = mv.Policy.product(x["policies"])
        known = [k + 1 for k in x["given"]]
        right = mv.subset_advantages(game, policy, known, [x["agent"] + 1])
        assert (CHECKS["advantage"].evaluate(x) == right).all()
        coma = q.counterfactual_advantages(game, policy, x["agent"] + 1)
        assert (CHECKS["counterfactual_advantage"].evaluate(x).reshape(states, -1) == coma).all()
        one = {"q": x["q"][:1], "policies": [table[:1] for table in x["policies"]]}
        assert (CHECKS["nash_gaps"].evaluate(one) == mv.nash_gaps(game, policy)).all()


# --- what a failure says ----------------------------------------------------------------------------------------------


def returns_without_limits(rewards, values, terminated, truncated, gamma):
    """Truncation taken for termination."""
    result, following = np.zeros_like(rewards), values[-1]
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following * ~(terminated[t] | truncated[t])
        result[t] = following
    return result


def test_a_failure_shows_the_smallest_trajectory_and_names_the_cause():
    failure = examine(CHECKS["returns"], returns_without_limits, drawn("returns"), library="mine")
    text = text_of(failure)
    assert isinstance(failure, Failure) and len(failure.call.case.inputs["rewards"]) == 1
    assert "mine: returns is not what its definition says" in text and "Sutton and Barto" in text
    assert "exact     returns[0] = 1/2  ≈ 0.5" in text or "exact     returns[0] = 7/8" in text or "3/4" in text
    assert "truncation is treated as termination" in text and "all 19 inputs" in text


def test_two_slips_together_are_named():
    def hook(rewards, values, terminated, truncated, gamma, lam):
        result, running = np.zeros_like(rewards), 0.0
        for t in reversed(range(len(rewards))):
            running = rewards[t] + gamma * values[t + 1] * ~terminated[t] - values[t] + lam * ~terminated[t] * running
            result[t] = running
        return result

    (cause,) = examine(CHECKS["gae"], hook, drawn("gae")).causes
    assert "the trace's γ is missing" in cause and "runs through truncation" in cause


def test_a_factor_and_an_unknown_slip():
    def half(old, new):
        return (old * np.log(old / new)).sum(-1) / 2

    def odd(old, new):
        return (old**2 * np.log(old / new)).sum(-1) + 1

    assert examine(CHECKS["kl"], half, drawn("kl")).causes == ("every number is 0.5 times the exact value",)
    failure = examine(CHECKS["kl"], odd, drawn("kl"))
    assert failure.causes == () and "none of the known slips" in text_of(failure)


def test_a_slip_that_explains_a_part_says_so():
    def hook(old, new):
        value = (new * np.log(new / old)).sum(-1)
        return value + (len(old) == 3)

    (cause,) = examine(CHECKS["kl"], hook, drawn("kl")).causes
    assert "reversed" in cause and "so it is not all" in cause


def test_wrong_shapes_and_wrong_hooks_are_explained():
    shape = examine(CHECKS["kl"], lambda old, new: (old * np.log(old / new)).sum(), drawn("kl"))
    assert "returned the shape ()" in text_of(shape)
    with pytest.raises(ConformanceError, match="must name new or new_log_probs or new_logits"):
        examine(CHECKS["kl"], lambda old: old, drawn("kl"))
    with pytest.raises(ConformanceError, match=r"asks for \['discount'\]; it may name rewards"):
        examine(CHECKS["gae"], lambda discount, rewards: rewards, drawn("gae"))
    with pytest.raises(ConformanceError, match="returned an array"):
        examine(CHECKS["kl"], lambda old, new: np.array("no array", object), drawn("kl"))
    with pytest.raises(ConformanceError, match="cannot be told from wrong ones"):
        examine(CHECKS["kl"], lambda old, new: (old * np.log(old / new)).sum(-1).astype("float16"), drawn("kl"))
    nan = examine(CHECKS["kl"], lambda old, new: np.full(len(old), np.nan), drawn("kl"))
    assert nan.failing == nan.total


def test_an_error_of_the_library_keeps_its_kind_and_says_the_inputs():
    def broken(old, new):
        raise KeyError("logits")

    with pytest.raises(KeyError) as caught:
        examine(CHECKS["kl"], broken, drawn("kl"))
    assert "while kl was called on {'old'" in caught.value.__notes__[0]


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_failure_is_written_and_computed_again(tmp_path):
    failure = examine(CHECKS["returns"], returns_without_limits, drawn("returns"), library="TestMine")
    path = write(failure, tmp_path / "new")
    assert path.name == "returns-TestMine.json" and recheck(path).valid
    document = json.loads(path.read_text("utf-8"))
    assert Fraction(document["exact"]) and document["causes"]
    for change, reason in (
        ({"exact": "1/3"}, "the exact value is"),
        ({"found": float(Fraction(document["exact"]))}, "units of rounding"),
        ({"inputs": {**document["inputs"], "gamma": {"number": "1/5"}}}, "the exact value is"),
    ):
        path.write_text(json.dumps({**document, **change}), "utf-8")
        found = recheck(path)
        assert not found.valid and reason in found.reason
    for change in (
        {"format": "other"},
        {"hook": "none"},
        {"inputs": {}},
        {"entry": [99]},
        {"inputs": {"gamma": {"number": "1e9"}}},
    ):
        path.write_text(json.dumps({**document, **change}), "utf-8")
        with pytest.raises(ConformanceError):
            recheck(path)
    for text in (
        "[" * 100_000,
        '{"format": 1, "format": 2}',
        '{"format": "mappo-verify-conformance", "version": 1, "exact": 1}',
    ):
        path.write_text(text)
        with pytest.raises(MappoVerifyError):
            recheck(path)
    (tmp_path / "folder.json").mkdir()
    for name in ("folder.json", "missing.json"):
        with pytest.raises(FileError):
            recheck(tmp_path / name)
    wrong_shape = examine(CHECKS["kl"], lambda old, new: old, drawn("kl"))
    assert not recheck(write(wrong_shape, tmp_path)).valid


@pytest.mark.parametrize("name", CHECKS)
def test_every_kind_of_failure_survives_its_file(name, tmp_path):
    failure = examine(
        CHECKS[name], formula_hook(CHECKS[name], lambda value: 2 * value + 1), drawn(name), explained=False
    )
    assert recheck(write(failure, tmp_path)).valid
    assert CHECKS[name].formula in text_of(failure)


# --- the border -------------------------------------------------------------------------------------------------------


class Tensor:
    """As torch's: gives nothing away before it is detached and on the CPU, and speaks DLPack then."""

    def __init__(self, values, attached=True, device="gpu"):
        self.values, self.attached, self.device = np.array(values), attached, device

    def detach(self):
        return Tensor(self.values, False, self.device)

    def cpu(self):
        return Tensor(self.values, self.attached, "cpu")

    def __dlpack__(self, **options):
        if self.attached or self.device != "cpu":
            raise RuntimeError("not on the CPU, or part of a graph")
        if self.values.dtype == bool:
            raise BufferError("no booleans")
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()

    def __array__(self, dtype=None, copy=None):
        if self.attached or self.device != "cpu":
            raise TypeError("not on the CPU, or part of a graph")
        return self.values.astype(dtype) if dtype else self.values


class Traced:
    """As JAX's: immutable, and nothing but ``__array__``."""

    def __init__(self, values):
        self.values = np.array(values, "float32" if np.asarray(values).dtype.kind == "f" else None)

    def __array__(self, dtype=None, copy=None):
        return self.values.astype(dtype) if dtype else self.values


class Namespace:
    """A library whose only constructor is ``asarray``."""

    def __init__(self, kind):
        self.asarray = kind


@pytest.mark.parametrize("kind", [Tensor, Traced])
def test_arrays_of_other_libraries_cross_the_border(kind):
    """Stand-ins for torch and JAX, which are not installed here: the protocols that the kit relies on, and nothing else."""
    namespace, seen = Namespace(kind), []

    class Mine(mv.conformance.PolicyTests):
        arrays = namespace

        def kl(self, old, new):
            seen.append((type(old), type(new)))
            old, new = old.values, new.values
            return kind((old * np.log(old / new)).sum(-1))

        def entropy(self, logits):
            return [kind(-np.sum(p * np.log(p))) for p in map(softmax, logits.values)]

    assert Mine().examine("kl") is None and Mine().examine("entropy") is None
    assert set(seen) == {(kind, kind)}
    assert to_numpy(kind([True, False]), "mask").dtype == bool
    assert rounding(Traced([0.5]).values) == rounding(np.ones(2)) == np.finfo("float32").eps


def test_hooks_cannot_spoil_the_inputs():
    def spoiling(old, new):
        value = (old * np.log(old / new)).sum(-1)
        old[:] = new[:] = 0
        return value

    cases = drawn("kl")
    assert examine(CHECKS["kl"], spoiling, cases) is None and examine(CHECKS["kl"], spoiling, cases) is None
    table = np.ones(2)
    assert to_library(table, np, "float32").dtype == np.float32 and to_library(0.5, np, "float32") == 0.5


# --- classes ----------------------------------------------------------------------------------------------------------


class Whole(mv.conformance.TrajectoryTests):
    one_episode = True
    batch = (2, 1)

    def gae(self, rewards, values, terminated, truncated, gamma, lam):
        """Right for one episode that ends at the last step, which is all that it is asked for."""
        assert rewards.shape[1:] == (2, 1) and not (terminated | truncated)[:-1].any()
        result, running = np.zeros_like(rewards), 0.0
        for t in reversed(range(len(rewards))):
            running = rewards[t] + gamma * values[t + 1] * ~terminated[t] - values[t] + gamma * lam * running
            result[t] = running
        return result


def test_one_episode_and_batches():
    assert Whole().examine("gae") is None
    Whole().test_gae()
    with pytest.raises(pytest.skip.Exception, match="the hook returns is not filled in"):
        Whole().test_returns()


def test_a_failing_test_writes_its_certificate(tmp_path):
    class Mine(mv.conformance.TrajectoryTests):
        def returns(self, rewards, values, terminated, truncated, gamma):
            return returns_without_limits(rewards, values, terminated, truncated, gamma)

    with using(Settings(seed=3, certificates=tmp_path)), pytest.raises(AssertionError, match="written") as caught:
        Mine().test_returns()
    assert recheck(tmp_path / "returns-Mine.json").valid and str(tmp_path) in str(caught.value)


# --- estimates --------------------------------------------------------------------------------------------------------


def right_gae(rewards, values, final_values, terminated, truncated, gamma, lam):
    return mv.quantities.gae(rewards, values, terminated, truncated, gamma, lam, final_values)


def right_sample(logits, available, count, seed):
    generator = np.random.default_rng(seed)
    rows = softmax(np.where(available, logits, -np.inf))
    return np.stack([generator.choice(len(row), p=row, size=count) for row in rows], axis=1)


class Rollouts(mv.conformance.EstimateTests):
    batch = (1,)
    episodes = 500
    gae = staticmethod(right_gae)
    sample = staticmethod(right_sample)


def test_right_estimates_pass():
    Rollouts().test_gae_on_average()
    Rollouts().test_sample()

    class ByColumn(Rollouts):
        batch = ()

    class ManyAxes(Rollouts):
        batch = (2, 1)

        def gae(self, rewards, values, next_values, terminated, truncated, gamma, lam):
            assert rewards.ndim == 3
            return right_gae(rewards, values, next_values, terminated, truncated, gamma, lam)

    for kind in (ByColumn, ManyAxes):
        kind().test_gae_on_average()
    with pytest.raises(pytest.skip.Exception):
        mv.conformance.EstimateTests().test_sample()


def test_wrong_estimates_are_found():
    class Wrong(Rollouts):
        def gae(self, rewards, values, final_values, terminated, truncated, gamma, lam):
            return right_gae(rewards, values, final_values, terminated | truncated, truncated, gamma, lam)

        def sample(self, logits, available, count, seed):
            return right_sample(1.3 * logits, available, count, seed)

    with pytest.raises(AssertionError, match="a game without end, state 0, action 0, critic: constant"):
        Wrong().test_gae_on_average()
    with pytest.raises(AssertionError, match="counts are too unlikely"):
        Wrong().test_sample()

    class Shapeless(Rollouts):
        def sample(self, logits, available, count, seed):
            return right_sample(logits, available, count, seed).T

    with pytest.raises(AssertionError, match=r"it needs integers \[count, S\]"):
        Shapeless().test_sample()


def test_bernstein_covers_and_shrinks():
    """Of means of 50 fair coins at most the stated share is further off; more data, a smaller radius."""
    radius = bernstein(0.25, 0.5, 50, 0.05)
    means = np.random.default_rng(0).integers(0, 2, (4_000, 50)).mean(1)
    assert (np.abs(means - 0.5) >= radius).mean() <= 0.05 and bernstein(0.25, 0.5, 5_000, 0.05) < radius / 5
    assert bernstein(0, 0, 1, 0.5) == 0
    with pytest.raises(ConformanceError, match="make no sense"):
        bernstein(-1, 0, 1, 0.5)
    assert mv.conformance.unlikely(0, 100, 0.5, 1e-6) and not mv.conformance.unlikely(50, 100, 0.5, 1e-6)


# --- claims as tests --------------------------------------------------------------------------------------------------


def test_claims_as_tests(tmp_path):
    on_trial("section-3.1/stationary")()
    with using(Settings(certificates=tmp_path)), pytest.raises(AssertionError, match="is REFUTED"):
        on_trial("lemma-b.2/printed-gradient-bound")()
    written = tmp_path / "lemma-b.2-printed-gradient-bound.json"
    assert mv.recheck(mv.read_certificate(written)).valid
    with pytest.raises(AssertionError, match="was not tried"):
        on_trial("lemma-b.2/printed-gradient-bound", game=mv.named_game("climbing"))()
    assert on_trial("lemma-4.1").__name__ == "test_lemma_4_1"


# --- the doctor -------------------------------------------------------------------------------------------------------


class Complete(*SUITES):
    """Every hook, by the kit's own formulas."""


for _name, _check in CHECKS.items():
    setattr(Complete, _name, staticmethod(formula_hook(_check)))


@pytest.mark.parametrize("name", CHECKS)
def test_every_mutation_of_a_complete_suite_is_killed_by_the_kit(name):
    slips = planted(Complete, CHECKS[name])
    assert len(slips) == len(CHECKS[name].with_sign())
    for slip in slips:
        with mutated(Complete, name, slip) as trouble, using(Settings(explained=False)):
            assert Complete().examine(name) is not None, slip.name
        assert not trouble
    assert Complete().examine(name) is None


SUITE = """
import numpy as np
from mappo_verify import conformance

class Hooks(conformance.ConformanceTests):
    def kl(self, old, new):
        return (old * np.log(old / new)).sum(-1)

def test_of_a_policy_and_itself():
    table = np.array([[0.25, 0.75]])
    assert abs(Hooks().kl(table, table)) < 1e-9

def test_sign():
    assert Hooks().kl(np.array([[0.25, 0.75]]), np.array([[0.5, 0.5]])) > 0
"""


def test_the_doctor_lists_what_a_suite_misses(tmp_path):
    from typer.testing import CliRunner

    from mappo_verify.cli import app

    file = tmp_path / "test_mine.py"
    file.write_text(SUITE, "utf-8")
    missed = CliRunner().invoke(app, ["conformance", "doctor", str(file)])
    assert missed.exit_code == 1 and "missed: Hooks.kl: the KL divergence is reversed" in missed.output
    assert "the sign is turned round" not in missed.output and "noticed by 2 tests" in missed.output
    file.write_text(
        SUITE.replace("ConformanceTests", "PolicyTests")
        .replace("class Hooks", "class TestHooks")
        .replace("Hooks()", "TestHooks()")
    )
    sys.modules.pop("test_mine", None)
    complete = CliRunner().invoke(app, ["conformance", "doctor", str(file)])
    assert complete.exit_code == 0 and "10 of 10 planted slips" in complete.output
    sys.modules.pop("test_mine", None)
    own = CliRunner().invoke(app, ["conformance", "doctor", "--own", str(file)])
    assert own.exit_code == 1
    sys.modules.pop("test_mine", None)
    for text, error in (
        ("def test_it():\n    assert False\n", "fails as it is"),
        ("x = 1\n", "no hook was found"),
        ("1 / 0\n", "cannot be collected"),
    ):
        file.write_text(text)
        result = CliRunner().invoke(app, ["conformance", "doctor", str(file)])
        assert isinstance(result.exception, ConformanceError) and error in str(result.exception)
        sys.modules.pop("test_mine", None)
    absent = CliRunner().invoke(app, ["conformance", "doctor", str(tmp_path / "none.py")])
    assert isinstance(absent.exception, ConformanceError)


def test_recheck_on_the_command_line(tmp_path):
    from typer.testing import CliRunner

    from mappo_verify.cli import app

    path = write(examine(CHECKS["returns"], returns_without_limits, drawn("returns")), tmp_path)
    assert CliRunner().invoke(app, ["conformance", "recheck", str(path)]).exit_code == 0
    path.write_text(path.read_text("utf-8").replace('"exact": "', '"exact": "1'), "utf-8")
    assert CliRunner().invoke(app, ["conformance", "recheck", str(path)]).exit_code == 1


# --- the plugin -------------------------------------------------------------------------------------------------------

OUTSIDE = """
from hypothesis import given, settings, strategies as st
import mappo_verify as mv
from mappo_verify.conformance.drawing import register_strategies
from mappo_verify.conformance import on_trial, TrajectoryTests

class TestMine(TrajectoryTests):
    def returns(self, rewards, values, terminated, truncated, gamma):
        return rewards

test_claim = on_trial("section-3.1/stationary")

def test_fixtures(small_games, policies, wrong_critics, simulated):
    assert simulated(small_games[1], policies(small_games[1])["random"], 7, steps=4).rewards.shape == (4, 7)
    assert [game.name for game in small_games] == ["climbing", "random:2x2:1"]
    for game in small_games:
        found = policies(game)
        assert {"even", "random", "near-deterministic"} <= set(found)
        for policy in found.values():
            policy.require_fits(game)
            right = mv.state_values(game, policy)
            assert all((critic != right).any() for critic in wrong_critics(game, policy).values())

register_strategies()  # an installed package need not: Hypothesis finds it by its entry point

@settings(max_examples=3, database=None, deadline=None)
@given(st.from_type(mv.Game))
def test_games(game):
    assert game.system.value == "rationals"
"""


def test_the_plugin_outside(tmp_path):
    """In an interpreter of its own, as a user's project has it: options, fixtures, certificates, Hypothesis."""
    import subprocess

    (tmp_path / "test_mine.py").write_text(OUTSIDE, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    options = ["--mappo-games", "climbing, random:2x2:1", "--mappo-seed", "5", "--mappo-certificates", "found"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "mappo_verify.conformance.plugin",
        "-p",
        "no:cacheprovider",
        "-q",
        *options,
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert "1 failed, 3 passed, 4 skipped" in done.stdout, done.stdout + done.stderr
    assert [path.name for path in Path(tmp_path, "found").iterdir()] == ["returns-TestMine.json"]
    assert "the hook gae is not filled in" in done.stdout or "skipped" in done.stdout


def test_a_check_is_plain_data():
    """A check of one's own needs nothing but the class."""
    own = Check(
        hook="twice", returns="2 x", shape="[1]", formula="2 x", source="arithmetic", arguments=(CHECKS["gae"].arguments[0],),
        evaluate=lambda x: 2 * x["rewards"], cases=lambda _: iter([Case("one", {"rewards": np.array([1.0])})]),
        slips=(Slip("once", lambda _, x: x["rewards"]),),
    )  # fmt: skip
    cases = own.drawn(np.random.default_rng(0))
    assert examine(own, lambda rewards: 2 * rewards, cases) is None
    assert examine(own, lambda rewards: rewards, cases).causes == ("once: this reproduces all 1 inputs",)
    assert inspect.signature(ConformanceTests.examine).parameters.keys() == {"self", "name"}


# --- what hooks and test classes may not be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        ([[1.0], [1.0, 2.0]], r"returned arrays of the shapes \[\(1,\), \(2,\)\] together; return one array"),
        (10**400, r"returned 1000+\.\.\.; it must return an array of numbers"),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), r"returned a masked array, whose mask would be lost; return \.filled"),
    ],
)
def test_what_a_hook_returns_is_named(returned, reason):
    class Mine(mv.conformance.TrajectoryTests):
        def returns(self, rewards, values, terminated, truncated, gamma):
            return returned

    with pytest.raises(ConformanceError, match=reason):
        Mine().test_returns()


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ({"returns": 5}, "the hook returns is 5, not a function"),
        ({"batch": -1}, r"Mine: batch = -1; it must be a tuple of integers from 1 on"),
        ({"batch": (0,)}, "Mine: batch = "),
        ({"dtype": "float7"}, "Mine: dtype = 'float7'; it must be 'float64' or 'float32'"),
        ({"arrays": "torch"}, "Mine: arrays = 'torch' has no asarray"),
    ],
)
def test_settings_of_a_class_are_named(setting, reason):
    hook = {"returns": lambda self, rewards, values, terminated, truncated, gamma: rewards}
    with pytest.raises(ConformanceError, match=reason):
        type("Mine", (mv.conformance.TrajectoryTests,), hook | setting)().test_returns()


@pytest.mark.parametrize(
    "call",
    [
        lambda: mv.conformance.check_of(["gae"]),
        lambda: mv.conformance.examine(None, None, []),
        lambda: mv.conformance.examine(CHECKS["gae"], len, [1]),
        lambda: mv.conformance.examine_suite("suite.py"),
        lambda: mv.conformance.on_trial(None),
        lambda: mv.conformance.recheck(None),
    ],
)
def test_wrong_calls_of_the_kit_are_named(call):
    with pytest.raises(MappoVerifyError):
        call()


def test_the_doctor_can_be_kept_in_a_set():
    """As pytest 8.2 keeps its plugins."""
    from mappo_verify.conformance.doctor import _Doctor

    assert len({_Doctor(True, 0), _Doctor(True, 0)}) == 2
