# The public names of mappo_verify.conformance, in reading order; see the rules in ../__init__.pyi.

# --- Test classes ----------------------------------------------------------------------------------------------------
from .suites import (
    TrajectoryTests as TrajectoryTests,
    SurrogateTests as SurrogateTests,
    PolicyTests as PolicyTests,
    AgentTests as AgentTests,
    GameTests as GameTests,
    ConformanceTests as ConformanceTests,
)

# --- Estimates -------------------------------------------------------------------------------------------------------
from .estimates import EstimateTests as EstimateTests, Estimate as Estimate, mean_of as mean_of, unlikely as unlikely

# --- Claims as tests -------------------------------------------------------------------------------------------------
from .trial import on_trial as on_trial

# --- Would your tests notice? ----------------------------------------------------------------------------------------
from .doctor import examine_suite as examine_suite

# --- What hooks are compared with ------------------------------------------------------------------------------------
from .registry import check_of as check_of
from .check import Check as Check, Argument as Argument, Slip as Slip, Case as Case
from .compare import examine as examine, Failure as Failure

# --- Failures as files -----------------------------------------------------------------------------------------------
from .failures import text_of as text_of, recheck as recheck
