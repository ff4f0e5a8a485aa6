"""Call every public function with wrong arguments, and list what is raised that is no error of ours.

Every function and class of ``mappo_verify`` and its namespaces is called once with arguments that fit (by parameter name), and
then with each argument replaced by each of the wrong kinds below, one at a time, and with neighbours swapped.  What comes back
may be an answer, or an error of ours; a ``TypeError`` that Python raises for a call that does not fit the signature does not
occur, because all calls fit it.  Everything else is listed, and the exit code is then 1.

    python scripts/wrong_calls.py [NAME ...]
"""

from __future__ import annotations

import inspect
import itertools
import os
import re
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import mappo_verify as mv
from mappo_verify.errors import MappoVerifyError

UNCALLED = {
    "Kind": "Python's own lookup of an enumeration",
    "Standing": "Python's own lookup of an enumeration",
    "Verdict": "Python's own lookup of an enumeration",
    "System": "Python's own lookup of an enumeration",
    "Case": "made by the engine; public as a type",
    "Numbers": "made by the engine; public as a type",
    "Features": "abstract; its class methods are called",
}
SECONDS = 60
"""What one call may take before it counts as wrong, too: an argument must not ask for endless work."""
NAMESPACES = (
    "",
    "quantities",
    "games",
    "algorithms",
    "runs",
    "checking",
    "arithmetic",
    "bounds",
    "claims",
    "conformance",
    "simulation",
)

GAME = mv.games.random_game(2, (2, 2), seed=1, termination=False).floats()
POLICY = mv.Policy.uniform(GAME)
FEATURES = mv.Features.tabular(GAME)


def wrong_values(folder: Path) -> dict[str, Any]:
    """The wrong kinds, by name."""
    return {
        "None": None,
        "text": "climbing?",
        "nan": float("nan"),
        "negative": -1,
        "huge": 10**30,
        "wrong shape": np.zeros((3, 5)),
        "other batch": np.zeros((7, 2, 4)),
        "empty list": [],
        "complex": 1j,
        "an object": object(),
        "a folder": folder,
        "a game": GAME,
        "a policy": POLICY,
    }


def good_arguments(folder: Path) -> dict[str, Any]:
    """What fits a parameter of this name, where one value fits all functions that have it."""
    exact = mv.games.theorem_5_5_two_agents()
    problem = exact.floats()
    data = np.full((2, 4), 1 / 8)
    lines = GAME.states * GAME.actions
    moments = mv.quantities.population_moments(GAME, POLICY, np.eye(lines), data, 2)
    critics = mv.quantities.LinearClass(np.eye(lines), 5.0, 9.0)
    plan = mv.Plan("constant-step", game="climbing", options={"iterations": 2, "step": 0.1})
    trace = mv.algorithms.constant_step(GAME, 2, 0.1)
    stored = folder / "run"
    mv.begin_run(plan, stored)
    mv.save_game(GAME, folder / "game.json")
    claim = "lemma-4.1"
    return {
        "game": GAME, "policy": POLICY, "target": POLICY, "base": POLICY, "comparator": POLICY, "response": POLICY,
        "new": POLICY, "old": POLICY, "m": 1, "agent": 0, "values": np.zeros(2), "table": np.zeros((2, 4)),
        "start": np.array([0.5, 0.5]), "states": np.array([0.5, 0.5]), "subset": (1,), "given": (2,), "members": (1,),
        "features": FEATURES, "distribution": np.array([0.5, 0.5]), "comparator_distribution": np.array([0.5, 0.5]),
        "above": data, "below": data, "policies": POLICY, "critics": critics, "tries": 2, "generator": np.random.default_rng(0),
        "left": np.array([0.5, 0.5]), "right": np.array([0.25, 0.75]), "weights": np.zeros(lines), "factor": POLICY.factors[0],
        "beta": 1.0, "step": 0.1, "candidate": POLICY.factors[0], "moments": moments, "direction": np.ones(lines),
        "penalty": 1.0, "points": np.ones((3, 2)), "following": np.ones((3, 2)), "rewards": np.ones(3), "data": data,
        "problem": problem, "classes": exact.classes, "iterations": 2, "seed": 0, "transition": GAME.transition,
        "reward": GAME.reward, "discount": 0.9, "action_sizes": (2, 2), "factors": POLICY.factors, "name": "climbing",
        "path": folder / "game.json", "env_or_P": {0: {0: [(1.0, 0, 0.0, False)]}}, "plan": plan, "folder": stored,
        "trace": trace, "claim": claim, "target_path": folder / "other.json", "actions": np.zeros(2, int),
        "recurrent_class": (0, 1), "solver": None, "critic": None, "evaluation": None, "text": "climbing",
        "ids": ("lemma-4.1",), "claim_id": "lemma-4.1", "radius": 1.0, "gamma": 0.9, "horizon": 10.0, "steps": 1,
        "options": {}, "algorithm": "constant-step", "factored": POLICY.factors, "logits": POLICY.factors,
        "sizes": (2, 2), "agents": 2, "dimension": 2, "max_denominator": 10, "index": 0, "later": (2,), "earlier": (1,),
        "count": 2, "samples": 5, "precision": 64, "profile": "quick", "claims": "lemma-4.1", "max_steps": 3,
    }  # fmt: skip


def public_functions() -> Iterator[tuple[str, Any]]:
    """Every public function and class, by its shortest name."""
    seen = set()
    for namespace in NAMESPACES:
        home = getattr(mv, namespace) if namespace else mv
        stub = Path(mv.__file__).parent / namespace / "__init__.pyi"
        names = re.findall(r"\w+ as (\w+)", stub.read_text(encoding="utf-8"))
        for name in sorted(set(names)):
            found = getattr(home, name, None)
            if not callable(found) or id(found) in seen:
                continue
            seen.add(id(found))
            if name not in UNCALLED:
                yield (f"{namespace}.{name}" if namespace else name), found
            if inspect.isclass(found):
                for method, function in inspect.getmembers(found):
                    if not method.startswith("_") and isinstance(
                        inspect.getattr_static(found, method), (classmethod, staticmethod)
                    ):
                        yield f"{name}.{method}", function


def calls(function: Any, good: dict[str, Any], wrong: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Descriptions and arguments: each wrong kind in each place, neighbours swapped."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    base = {p.name: good[p.name] for p in named if (p.default is p.empty or p.name == "claims") and p.name in good}
    base |= {p.name: None for p in named if p.default is p.empty and p.name not in good}
    for parameter in named:
        for kind, value in wrong.items():
            yield f"{parameter.name} = {kind}", {**base, parameter.name: value}
    required = list(base)
    for one, two in itertools.pairwise(required):
        yield f"{one} and {two} swapped", {**base, one: base[two], two: base[one]}


class TooLongError(BaseException):
    """A call that does not end."""


def _stop(*_: object) -> None:
    raise TooLongError


def foreign_errors(names: tuple[str, ...] = ()) -> Iterator[str]:
    """One line for each call that raised what it should not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        good, wrong = good_arguments(folder), wrong_values(folder)
        before, handler = Path.cwd(), signal.signal(signal.SIGALRM, _stop)
        os.chdir(folder)
        try:
            for title, function in public_functions():
                if names and title not in names:
                    continue
                for description, arguments in calls(function, good, wrong):
                    signal.alarm(SECONDS)
                    try:
                        function(**arguments)
                    except MappoVerifyError:
                        pass
                    except TooLongError:
                        if (title, description) == ("audit", "claims = None"):
                            continue  # all claims: right, and long
                        yield f"{title}({description}): takes more than {SECONDS} s"
                    except BaseException as error:
                        yield f"{title}({description}): {type(error).__name__}: {str(error)[:150]}"
                    finally:
                        signal.alarm(0)
        finally:
            os.chdir(before)
            signal.signal(signal.SIGALRM, handler)


def main() -> int:
    """Print the list; 1 if there is one."""
    warnings.simplefilter("ignore")
    found = 0
    for text in foreign_errors(tuple(sys.argv[1:])):
        found += 1
        print(text, flush=True)
    print(f"{found} calls raised an error that is not ours")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
