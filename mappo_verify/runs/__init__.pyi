# The public names of mappo_verify.runs, in reading order; see the rules in ../__init__.pyi.

# --- Runs that can be interrupted ------------------------------------------------------------------------------------
from .plan import Plan as Plan
from .folder import begin_run as begin_run, resume_run as resume_run, load_run as load_run
from .storage import Store as Store
