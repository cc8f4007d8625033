"""What all tests share: how hard Hypothesis looks."""

import os

from hypothesis import HealthCheck, Phase, settings

# A slow machine is no failure of a law, so none of them has a deadline.
settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=40,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("nightly", deadline=None, max_examples=5000)
# One of thousands of mutants: whether it is seen, not the smallest input that shows it.
settings.register_profile(
    "mutants",
    deadline=None,
    max_examples=25,
    stateful_step_count=15,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))
