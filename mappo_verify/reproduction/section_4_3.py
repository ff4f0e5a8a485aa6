"""Section 4.3: equilibria that are not optimal, and what sharing parameters costs.

*Climbing* and *penalty* (Claus and Boutilier, 1998): one move, two agents, three actions each.  All Nash equilibria in pure
strategies, exactly; and where four algorithms end, from the uniform policy and from random ones.  Every algorithm gets the same
step ``η`` and the same start, a product policy (agents that share parameters all start at the first agent's policy).

*The shared-parameter game* (Kuba et al., 2022, Proposition 1), N = 2, 4, 6, 8: the best product policy that all agents share
earns ``2/2^N`` of the optimum, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ..algorithms.constant_step import constant_step
from ..algorithms.independent_gradient import independent_gradient
from ..algorithms.independent_mirror_descent import independent_mirror_descent
from ..algorithms.shared_parameters import shared_parameters
from ..algorithms.trace import Trace
from ..arithmetic import Array, System, largest, like
from ..games.named import climbing, penalty, shared_parameter
from ..model import Game, Policy
from ..model.agents import joint_action, prefix_sizes
from ..quantities.equilibria import nash_gaps
from ..quantities.optimal import optimal
from ..quantities.values import returns
from .curves import Progress, iterations_shown, number, numbers, repeated, silent, spoken

STEP = 0.05
"""η on climbing and penalty."""
SHARED_STEP = 1.0
"""η on the shared-parameter game, whose rewards are 0 and 1."""
AGENTS = (2, 4, 6, 8)
OPTIMAL = 0.99
"""A run counts as optimal once it earns this share of the optimum."""

RUNS: dict[str, Callable[..., Trace]] = {
    "algorithm_1": constant_step,
    "independent_mirror_descent": independent_mirror_descent,
    "independent_gradient": independent_gradient,
    "shared_parameters": shared_parameters,
}


def section_4_3(
    progress: Progress = silent, iterations: int = 2_000, starts: int = 200, seed: int = 0
) -> dict[str, Any]:
    """All numbers of the comparison, as plain data.

    ``iterations`` is the length of every run, ``starts`` the number of random starts, drawn from ``seed``: every agent's policy
    uniform on its simplex.
    """
    games = []
    for place, game in enumerate((climbing(), penalty())):
        progress(f"{game.name} from {starts} starts", place / 3)
        games.append(_equilibrium_game(game, iterations, starts, seed))
    shared = []
    for place, agents in enumerate(AGENTS):
        progress(f"shared parameters, {agents} agents", (2 + place / len(AGENTS)) / 3)
        shared.append(_sharing(agents, iterations, seed))
    progress("done", 1.0)
    return {
        "figure": "section-4.3",
        "source": "Section 4.3; Claus and Boutilier 1998; Kuba et al. 2022, Proposition 1",
        "reproduce": "mappo-verify reproduce section-4.3 --out DIR "
        f"--iterations {iterations} --starts {starts} --seed {seed}",
        "iterations": iterations,
        "random_starts": starts,
        "seed": seed,
        "games": games,
        "shared_parameters": shared,
        "findings": _findings(games, shared),
    }


# --- equilibria -------------------------------------------------------------------------------------------------------


def _equilibrium_game(game: Game, iterations: int, starts: int, seed: int) -> dict[str, Any]:
    """One game: its pure equilibria, runs from the uniform policy, and where runs from random starts end."""
    best = Fraction(str(returns(game, optimal(game).policy)))
    shown = iterations_shown(iterations)
    played = game.floats()
    drawn = [np.log(table) for table in _random_policies(played, starts, seed)]
    many = repeated(played, starts)
    equilibria = _pure_equilibria(game, best)
    runs = {name: run(played, iterations, STEP) for name, run in RUNS.items()}
    return {
        "name": game.name,
        "payoff": [[str(v) for v in row] for row in game.reward.reshape(game.action_sizes)],
        "step": STEP,
        "optimum": str(best),
        "equilibria": equilibria,
        "at": shown.tolist(),
        "values": {name: numbers(trace.returns(played)[shown]) for name, trace in runs.items()},
        "uniform_end": {name: _played_most(trace, game, equilibria) for name, trace in runs.items()},
        "ends": {
            name: _ends(run(many, iterations, STEP, initial=_initial(run, drawn, game.action_sizes)), game)
            for name, run in RUNS.items()
        },
    }


def _played_most(trace: Trace, game: Game, equilibria: list[dict[str, Any]]) -> dict[str, Any]:
    """The joint action that the final policy of one run plays most."""
    place = int(np.argmax(trace.policies(-1).joint()[0]))
    actions = list(joint_action(place, game.action_sizes))
    return {
        "actions": actions,
        "value": str(game.reward[0, place]),
        "equilibrium": actions in [entry["actions"] for entry in equilibria],
    }


def _pure_equilibria(game: Game, best: Fraction) -> list[dict[str, Any]]:
    """Every joint action from which no agent gains by leaving alone, best first; exact."""
    found = []
    for index in range(game.actions):
        policy = Policy.deterministic(game, [index])
        if all(gap == 0 for gap in nash_gaps(game, policy)):
            value = Fraction(str(returns(game, policy)))
            found.append((value, list(joint_action(index, game.action_sizes))))
    return [
        {"actions": actions, "value": str(value), "optimal": value == best}
        for value, actions in sorted(found, key=lambda entry: (-entry[0], entry[1]))
    ]


def _random_policies(game: Game, count: int, seed: int) -> list[Array]:
    """One policy per agent and start, uniform on the simplex, ``[count, A_m]``."""
    generator = np.random.default_rng(seed)
    return [generator.dirichlet(np.ones(size), count) for size in game.action_sizes]


def _initial(run: Callable[..., Trace], logits: Sequence[Array], action_sizes: tuple[int, ...]) -> Any:
    """The same product policy as each algorithm wants its parameters."""
    if run is shared_parameters:
        return logits[0]
    if run is constant_step:
        prefixes = prefix_sizes(action_sizes)
        return [np.tile(table, (1, copies)) for table, copies in zip(logits, prefixes, strict=False)]
    return logits


def _ends(trace: Trace, game: Game) -> list[dict[str, Any]]:
    """The joint actions that final policies play most, how often each, most frequent first."""
    chosen = np.argmax(trace.policies(-1).joint()[:, 0], axis=-1)
    places, counts = np.unique(chosen, return_counts=True)
    return [
        {
            "actions": list(joint_action(int(place), game.action_sizes)),
            "value": str(game.reward[0, place]),
            "share": number(count / len(chosen)),
        }
        for count, place in sorted(
            zip(counts.tolist(), places.tolist(), strict=True), key=lambda pair: (-pair[0], pair[1])
        )
    ]


# --- shared parameters ------------------------------------------------------------------------------------------------


def _sharing(agents: int, iterations: int, seed: int, starts: int = 50) -> dict[str, Any]:
    """One number of agents: the best shared product policy, exactly, and what the algorithms earn."""
    game = shared_parameter(agents)
    best = Fraction(str(largest(game.reward[0])))
    chances = [Fraction(k, 40) for k in range(41)]
    shared = {p: _shared_value(game, p) for p in chances}
    top = max(shared, key=lambda p: shared[p])
    played = game.floats()
    drawn = [np.log(table) for table in _random_policies(played, starts, seed)]
    apart = independent_mirror_descent(repeated(played, starts), iterations, SHARED_STEP, initial=drawn)
    ends = returns(played, apart.policies(-1)) / float(best)
    together = shared_parameters(played, iterations, SHARED_STEP, initial=np.array([1.0, 0.0])).returns(played)
    chain = constant_step(played, iterations, SHARED_STEP).returns(played)
    return {
        "agents": agents,
        "optimum": str(best),
        "best_shared": {"p": str(top), "ratio": str(shared[top] / best)},
        "bound": str(Fraction(2, 2**agents)),
        "final": {
            "shared_parameters": number(together[-1] / float(best)),
            "algorithm_1": number(chain[-1] / float(best)),
            "independent_mirror_descent": number(np.median(ends)),
        },
        "random_starts": starts,
        "independent_mirror_descent_optimal": number((ends >= OPTIMAL).mean()),
    }


def _shared_value(game: Game, chance: Fraction) -> Fraction:
    """``J`` where every agent plays ``(p, 1-p)``, exactly."""
    row = like(np.array([[chance, 1 - chance]], dtype=object), System.RATIONALS)
    return Fraction(str(returns(game, Policy.product([row] * game.agents))))


# --- findings ---------------------------------------------------------------------------------------------------------


def _findings(games: list[dict[str, Any]], shared: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the numbers say."""
    found: list[dict[str, Any]] = []
    for game in games:
        worse = [entry for entry in game["equilibria"] if not entry["optimal"]]
        listed = ", ".join(f"{tuple(entry['actions'])} pays {entry['value']}" for entry in worse)
        found.append(
            {
                "id": f"{game['name'].partition(':')[0]}-equilibria",
                "claim": "section-4.3/equilibria-are-optimal",
                "says": f"{game['name']}: the optimum pays {game['optimum']}, but {listed} at a Nash equilibrium",
                "equilibria": game["equilibria"],
            }
        )
        ends = "; ".join(
            f"{spoken(name)} at {tuple(end['actions'])}, which pays {end['value']}"
            + ("" if end["equilibrium"] else " and is not an equilibrium")
            for name, end in game["uniform_end"].items()
        )
        found.append(
            {
                "id": f"{game['name'].partition(':')[0]}-from-uniform",
                "says": f"{game['name']}, from the uniform policy: {ends}",
                "ends": game["uniform_end"],
            }
        )
        reached = {
            name: number(sum(end["share"] for end in ends if end["value"] == game["optimum"]))
            for name, ends in game["ends"].items()
        }
        words = ", ".join(f"{spoken(name)} {share:.0%}" for name, share in reached.items())
        found.append(
            {
                "id": f"{game['name'].partition(':')[0]}-ends",
                "says": f"{game['name']}, share of random starts that end at an optimal pair: {words}",
                "optimal_share": reached,
            }
        )
    ratios = ", ".join(f"{entry['best_shared']['ratio']} for N = {entry['agents']}" for entry in shared)
    found.append(
        {
            "id": "sharing",
            "claim": "section-4.3/shared-parameters",
            "says": f"agents that share a product policy earn at most 2/2^N of the optimum: {ratios}",
            "attained": all(entry["best_shared"]["ratio"] == entry["bound"] for entry in shared),
        }
    )
    return found
