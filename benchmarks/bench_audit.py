"""The quick audit of every claim: the main job, which is to stay under a minute on two cores.

Run with ``tox -e bench``; one round, since a round is the whole audit.
"""

from __future__ import annotations

import mappo_verify as mv


def test_quick_audit(benchmark) -> None:  # type: ignore[no-untyped-def]
    report = benchmark.pedantic(mv.audit, rounds=1, iterations=1)
    assert not report.unexpected
    slowest = sorted(report, key=lambda entry: -entry.seconds)[:8]
    for entry in slowest:
        print(f"{entry.seconds:6.2f} s  {entry.id}")


def test_doctor(benchmark) -> None:  # type: ignore[no-untyped-def]
    found = benchmark.pedantic(mv.checking.diagnose, rounds=1, iterations=1)
    assert all(entry.caught for entry in found)
