"""OpenSpiel: what an agent could gain alone (the parts of NashConv), in games of one move with identical payoffs."""

import numpy as np
import pyspiel
from open_spiel.python import policy as spiel_policy
from open_spiel.python.algorithms import exploitability

from mappo_verify import conformance


class Agents(conformance.AgentTests):
    def nash_gaps(self, payoff, policies):
        moves = pyspiel.create_tensor_game([payoff] * payoff.ndim)
        game = pyspiel.convert_to_turn_based(moves)
        played = spiel_policy.TabularPolicy(game)
        for player, table in enumerate(policies):
            for row in played.states_per_player[player]:
                played.policy_for_key(row)[: len(table)] = table
        found = exploitability.nash_conv(game, played, return_only_nash_conv=False)
        return np.array(found.player_improvements)
