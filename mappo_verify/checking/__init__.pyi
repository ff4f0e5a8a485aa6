# The public names of mappo_verify.checking, in reading order; see the rules in ../__init__.pyi.

# --- Claims on trial -------------------------------------------------------------------------------------------------
from .campaign import check as check, audit as audit
from .falsify import falsify as falsify
from .tightness import (
    tightness as tightness,
    write_tightness as write_tightness,
    recheck_tightness as recheck_tightness,
)
from .explain import explain as explain
from .doctor import diagnose as diagnose
from .monte_carlo import Statistics as Statistics, Interval as Interval

# --- Certificates ----------------------------------------------------------------------------------------------------
from .certificate_files import read_certificate as read_certificate
from .certificate import (
    certificate_of as certificate_of,
    write_certificate as write_certificate,
    recheck as recheck,
)
