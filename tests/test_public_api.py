"""The package's front door: what it offers, and what it costs to open."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import mappo_verify as mv

STUB = Path(mv.__file__).with_suffix(".pyi")
STUBS = sorted(STUB.parent.rglob("*.pyi"))
HEAVY = ("cvxpy", "flint", "hypothesis", "matplotlib", "msgspec", "numba", "rich", "scipy", "sympy", "typer")
SPACES = (
    "algorithms",
    "arithmetic",
    "axioms",
    "checking",
    "claims",
    "errors",
    "games",
    "quantities",
    "runs",
    "simulation",
    "conformance",
    "bounds",
)

ONCE_AT_THE_TOP = [
    "Game",
    "Policy",
    "named_game",
    "random_game",
    "load_game",
    "resolve_game",
    "save_game",
    "restarted",
    "from_gymnasium",
    "state_values",
    "action_values",
    "advantages",
    "returns",
    "lookahead",
    "agent_values",
    "agent_advantages",
    "subset_values",
    "subset_advantages",
    "bellman_operator",
    "contraction_factor",
    "return_difference",
    "visits",
    "occupancy",
    "stationary_distribution",
    "state_action_distribution",
    "induced_transition",
    "induced_reward",
    "recurrent_classes",
    "values_exist",
    "has_stationary_distribution",
    "density_ratio",
    "dominates",
    "concentrability",
    "squared_concentrability",
    "kl_divergence",
    "total_variation",
    "l1_distance",
    "sup_norm",
    "squared_norm",
    "mirror_step",
    "mirror_objective",
    "fit_step",
    "log_linear_step",
    "optimal",
    "certify_optimality",
    "serialise",
    "serialise_policy",
    "deserialise",
    "policy_gradient",
    "best_response",
    "nash_gaps",
    "Moments",
    "moments_of",
    "population_moments",
    "state_features",
    "start_features",
    "pessimistic_step",
    "LinearClass",
    "concentrability_of_policy",
    "searched_concentrability",
    "ConstrainedStep",
    "constrained_step",
    "certify_step",
    "class_bellman_error",
    "class_pessimistic_step",
    "Bracket",
    "GlobalStep",
    "law_of_data",
    "frequencies",
    "data_moments",
    "FiniteClass",
    "visited_states",
    "Features",
    "multi_agent_ppo",
    "ideal_beta",
    "constant_step",
    "independent_gradient",
    "independent_mirror_descent",
    "shared_parameters",
    "joint_mirror_descent",
    "StochasticGradient",
    "ExactFit",
    "ExactCritic",
    "NoisyCritic",
    "MonteCarloCritic",
    "RegressionCritic",
    "SamplingOracle",
    "OfflineProblem",
    "tabular_problem",
    "theorem_5_5_two_agents",
    "theorem_d_7_classes",
    "theorem_5_5_one_agent",
    "Population",
    "Samples",
    "Dataset",
    "draw_dataset",
    "pessimistic_ppo",
    "pessimistic_ppo_joint",
    "ClassThroughout",
    "InClass",
    "Unconstrained",
    "statistical_error",
    "theorem_price",
    "repaired_price",
    "pessimistic_finite",
    "pessimistic_finite_joint",
    "PessimisticTrace",
    "pessimistic_quantities",
    "Trace",
    "recompute",
    "self_consistent_beta",
    "Store",
    "Plan",
    "begin_run",
    "resume_run",
    "load_run",
    "Claim",
    "line",
    "equal",
    "at_most",
    "at_least",
    "Setting",
    "Sizes",
    "Case",
    "Hypothesis",
    "GameData",
    "PolicyData",
    "Distribution",
    "Table",
    "PositiveScalar",
    "LogOdds",
    "Derived",
    "Counts",
    "Experiment",
    "Evidence",
    "Verdict",
    "Standing",
    "check",
    "audit",
    "Statistics",
    "Interval",
    "falsify",
    "explain",
    "diagnose",
    "certificate_of",
    "write_certificate",
    "read_certificate",
    "recheck",
    "System",
    "like",
    "lift",
    "contract",
    "divide",
    "exp",
    "log",
    "xlogy",
    "sqrt",
    "square",
    "absolute",
    "maximum",
    "minimum",
    "largest",
    "smallest",
    "compare",
    "MappoVerifyError",
    "GameError",
    "MixedArithmeticError",
    "ExactnessError",
    "UndecidedError",
    "SingularError",
    "SolverError",
    "InterruptedRunError",
    "InfeasibleError",
    "FileError",
    "RunError",
    "ClaimError",
]
"""Every name that ``mappo_verify`` itself had before there were namespaces."""


def names_in_stub(stub=STUB):
    """``{public name: module}`` as a stub says it, in its order; the namespaces are not among them."""
    package = ".".join(stub.relative_to(STUB.parent.parent).parent.parts)
    return {
        alias.name: f"{package}.{statement.module}"
        for statement in ast.parse(stub.read_text("ascii")).body
        if isinstance(statement, ast.ImportFrom) and statement.module
        for alias in statement.names
    }


def fresh_python(code):
    """What ``code`` prints in an interpreter of its own."""
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: path.parent.name)
def test_a_stub_holds_only_public_imports_of_single_names(stub):
    for statement in ast.parse(stub.read_text("ascii")).body:
        if isinstance(statement, ast.ImportFrom):
            assert statement.level == 1
            assert all(alias.name == alias.asname for alias in statement.names), ast.unparse(statement)
        else:
            assert stub == STUB and ast.unparse(statement) == "__version__: str"


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: path.parent.name)
def test_stub_and_runtime_agree(stub):
    package = importlib.import_module(".".join(stub.relative_to(STUB.parent.parent).parent.parts))
    spaces = set(SPACES) if package is mv else set()
    assert set(package.__all__) == set(names_in_stub(stub)) | spaces == set(dir(package))
    assert len(package.__all__) == len(set(package.__all__))


def test_the_top_stays_small():
    assert len(mv.__all__) <= 90


@pytest.mark.parametrize(
    ("stub", "name"),
    [pytest.param(stub, name, id=f"{stub.parent.name}.{name}") for stub in STUBS for name in names_in_stub(stub)],
)
def test_a_public_name_resolves_and_is_documented(stub, name):
    home = names_in_stub(stub)[name]
    package = importlib.import_module(".".join(stub.relative_to(STUB.parent.parent).parent.parts))
    value = getattr(package, name)
    assert value is getattr(importlib.import_module(home), name)
    assert getattr(package, name) is value, "also after its module, which may have the same name, was imported"
    assert (value.__doc__ or "").strip()
    says = getattr(value, "__module__", home)  # a constant says nothing, an alias of a NumPy type says numpy
    assert says in (home, "numpy"), "public names point at the module that defines them"


@pytest.mark.parametrize("space", SPACES)
def test_a_namespace_is_documented(space):
    namespace = getattr(mv, space)
    assert namespace is importlib.import_module(f"mappo_verify.{space}")
    assert len(namespace.__doc__.strip()) > 40 and len(dir(namespace)) >= 5


@pytest.mark.parametrize("name", ONCE_AT_THE_TOP)
def test_a_name_that_moved_says_where_it_is(name):
    if name in mv.__all__:
        assert getattr(mv, name).__module__
        return
    with pytest.raises(
        AttributeError, match=rf"no attribute '{name}'; it is mappo_verify.[a-z]+\.[A-Za-z_0-9]+ now"
    ) as asked:
        getattr(mv, name)
    with pytest.raises(ImportError) as imported:
        exec(f"from mappo_verify import {name}", {})
    assert str(imported.value) == str(asked.value)
    place = str(asked.value).split()[-2].split(".")
    found = getattr(importlib.import_module(".".join(place[:-1])), place[-1])
    assert found.__doc__ and (place[-1] == name or mv._RENAMED[name] == ".".join(place[1:]))


def test_dir_and_star_import():
    assert set(mv.__all__) <= set(dir(mv))
    scope = {}
    exec("from mappo_verify import *", scope)
    assert set(mv.__all__) <= set(scope)


def test_unknown_attribute_is_an_attribute_error_that_suggests_the_right_name():
    with pytest.raises(AttributeError, match="module 'mappo_verify' has no attribute 'state_value'") as caught:
        mv.state_value  # noqa: B018 - the access is the test
    assert (caught.value.name, caught.value.obj) == ("state_value", mv)
    assert not hasattr(mv, "__wrapped__")


def test_version_is_that_of_the_installed_package():
    assert mv.__version__ == importlib.import_module("importlib.metadata").version("mappo-verify")


def test_import_is_cheap():
    loaded = fresh_python("import sys, mappo_verify; print(*{name.partition('.')[0] for name in sys.modules})")
    assert not set(HEAVY) & set(loaded)


def test_float_work_stays_cheap():
    loaded = fresh_python(
        "import sys, mappo_verify as mv\n"
        "game = mv.Game([[[1.0], [1.0]]], [[1.0, 0.0]], 0.5)\n"
        "mv.state_values(game, mv.Policy.uniform(game))\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    assert not set(HEAVY) & set(loaded)


def test_package_is_marked_as_typed():
    assert STUB.with_name("py.typed").is_file()
