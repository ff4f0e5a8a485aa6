"""OpenSpiel's exact values in games of one move with identical payoffs: NashConv's parts, and the values of single actions."""

from itertools import product

import numpy as np
import pyspiel
from open_spiel.python import policy as spiel_policy
from open_spiel.python.algorithms import expected_game_score, exploitability

from mappo_verify import conformance


def game_of(payoff):
    """A matrix game that OpenSpiel plays in turns, no player seeing another's move."""
    return pyspiel.convert_to_turn_based(pyspiel.create_tensor_game([payoff] * payoff.ndim))


def policy_of(game, tables):
    """OpenSpiel's tabular policy from one distribution per player."""
    played = spiel_policy.TabularPolicy(game)
    for player, table in enumerate(tables):
        for row in played.states_per_player[player]:
            played.policy_for_key(row)[: len(table)] = table
    return played


class Agents(conformance.AgentTests):
    def nash_gaps(self, payoff, policies):
        game = game_of(payoff)
        found = exploitability.nash_conv(game, policy_of(game, policies), return_only_nash_conv=False)
        return np.array(found.player_improvements)

    def advantage(self, q, policies, given, agent):
        return value_given(q, policies, (*given, agent)) - value_given(q, policies, given)


def value_given(q, policies, known):
    """The expected score of every state and every choice of the known agents, who then play it for certain."""
    result = np.zeros([len(q), *(size if k in known else 1 for k, size in enumerate(q.shape[1:]))])
    for s, payoff in enumerate(q):
        game = game_of(payoff)
        for chosen in product(*(range(size) for size in result.shape[1:])):
            tables = [
                np.eye(len(p[s]))[a] if k in known else p[s]
                for k, (p, a) in enumerate(zip(policies, chosen, strict=True))
            ]
            state = game.new_initial_state()
            result[(s, *chosen)] = expected_game_score.policy_value(state, [policy_of(game, tables)] * q[0].ndim)[0]
    return result
