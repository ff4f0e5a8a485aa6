"""Campaigns: what is found depends on claims, seed and count only; nothing is lost, and nothing is counted twice."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Future, wait
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mappo_verify import cli
from mappo_verify.campaigns import merge_campaigns, read_campaign, run_campaign
from mappo_verify.campaigns.chunk import _text, evaluate_chunk, find_witness
from mappo_verify.campaigns.ledger import Ledger, only_writer
from mappo_verify.campaigns.plan import CHUNK, Plan, Task, drawn_chunk, plan_of
from mappo_verify.campaigns.run import PATIENCE
from mappo_verify.checking.certificate import recheck
from mappo_verify.checking.certificate_files import read_certificate
from mappo_verify.checking.evaluate import _EQUALITIES, decide
from mappo_verify.checking.workers import InProcess, cluster, width_of
from mappo_verify.claims.verdict import Standing, Verdict
from mappo_verify.errors import CampaignError, MappoVerifyError
from mappo_verify.papers.registry import claim
from mappo_verify.report.campaign import _notes

FALSE, TRUE = "lemma-b.2/printed-gradient-bound", "lemma-b.2/gradient-bound"
COUNT = 2 * CHUNK + 100
"""Three chunks of each claim, the last one not full."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An undisturbed campaign in this process."""
    path = tmp_path_factory.mktemp("campaign") / "whole.db"
    return run_campaign(path, [FALSE, TRUE], COUNT, seed=5, workers=1)


# --- what is found ------------------------------------------------------------------------------------------------------


def test_every_instance_is_counted_once(whole):
    assert whole.complete and whole.asked == whole.done == 2 * COUNT
    assert [entry.done for entry in whole.claims] == [COUNT, COUNT]
    assert whole[FALSE].standing is Standing.REFUTED and whole[TRUE].standing is Standing.SURVIVED


def test_counts_and_the_largest_ratio_are_those_of_the_checking_engine(whole):
    """The same instances through ``decide`` alone, one after the other."""
    entry = claim(FALSE)
    counted = dict.fromkeys(Verdict, 0)
    largest = -np.inf
    for chunk in range(3):
        sizes, drawn = drawn_chunk(entry, 5, chunk)
        drawn = {name: values[: min(CHUNK, COUNT - chunk * CHUNK)] for name, values in drawn.items()}
        for _, evidence in decide(entry, drawn, sizes):
            for verdict in np.ravel(evidence.verdict):
                counted[verdict] += 1
            largest = max(largest, evidence.ratio or -np.inf)
    found = whole[FALSE]
    assert found.violated > 0
    assert (found.holds, found.violated) == (counted[Verdict.HOLDS], counted[Verdict.VIOLATED])
    assert (found.undecided, found.not_applicable) == (counted[Verdict.UNDECIDED], counted[Verdict.NOT_APPLICABLE])
    assert found.value == pytest.approx(largest, rel=1e-9) and Fraction(found.ratio) > 1


def test_the_tightest_instance_can_be_drawn_again(whole):
    found = whole[FALSE].tightest
    entry = claim(FALSE)
    sizes, drawn = drawn_chunk(entry, 5, found.number // CHUNK)
    assert sizes == found.sizes
    alone = {name: values[found.number % CHUNK][None] for name, values in drawn.items()}
    [(_, evidence)] = decide(entry, alone, sizes)
    assert evidence.ratio == pytest.approx(whole[FALSE].value, rel=1e-12, abs=0)


def test_a_violation_is_shrunk_certified_and_stored(whole, tmp_path):
    witness = whole[FALSE].witness
    assert witness is not None and not witness.complaint
    path = tmp_path / "certificate.json"
    path.write_text(witness.certificate, encoding="utf-8")
    assert recheck(read_certificate(path)).valid


def test_fewer_instances_are_the_first_of_more(tmp_path):
    few = run_campaign(tmp_path / "a.db", [TRUE], 500, seed=2, workers=1)
    more = run_campaign(tmp_path / "a.db", instances=CHUNK + 300, workers=1)
    direct = run_campaign(tmp_path / "b.db", [TRUE], CHUNK + 300, seed=2, workers=1)
    assert few.done == 500 and more.digest == direct.digest != few.digest


@pytest.mark.parametrize(("name", "stated"), [("section-4.3/equilibria-are-optimal", True), ("lemma-b.5", False)])
def test_what_a_worker_did_before_changes_nothing(name, stated):
    """A worker learns where equalities are proved or stated; a fresh one finds the same.

    A statement without one is decided in enclosures, whatever its proof says on the way.
    """
    task = Task(name, 0, 60)
    _EQUALITIES.clear()
    fresh, later = evaluate_chunk(1, task), evaluate_chunk(1, task)
    known = _EQUALITIES[claim(task.claim)]
    assert known.used and fresh.arithmetics
    assert known.stated is stated is ("enclosures" not in fresh.arithmetics)
    assert replace(fresh, seconds=0.0) == replace(later, seconds=0.0)


def test_another_seed_finds_other_instances():
    one, two = (evaluate_chunk(seed, Task(FALSE, 2, 100)) for seed in (5, 6))
    assert (one.counts, one.ratio, one.ratio_at) != (two.counts, two.ratio, two.ratio_at)


def test_open_and_raising_instances_are_counted_and_named(tmp_path):
    report = run_campaign(tmp_path / "a.db", ["parallel-updates"], 40, workers=1)
    found = report["parallel-updates"]
    assert found.standing is Standing.OPEN and found.undecided == 40 - found.not_applicable > 0
    assert found.open is not None and found.open.number < 40 and found.certified == 0


def test_a_step_that_fails_is_found_even_where_the_statement_holds(monkeypatch):
    entry = claim(TRUE)

    def proof(case):
        for line in entry.proof(case):
            yield replace(line, value=line.value + 1) if line.relation is None else line

    monkeypatch.setattr("mappo_verify.campaigns.chunk.find", lambda _: replace(entry, proof=proof))
    assert evaluate_chunk(0, Task(TRUE, 1, 50)).broken


def test_long_ratios_are_cut_downwards():
    assert _text(Fraction(2, 3)) == "2/3"
    long = Fraction(10**210 + 1, 3 * 10**210)
    assert Fraction(_text(long)) <= long < Fraction(_text(long)) + Fraction(1, 10**40)
    assert Fraction(_text(-long)) <= -long and _text(-long).startswith("-0.33")


# --- nothing is lost ------------------------------------------------------------------------------------------------------

RUN = f"""
import sys, time
from mappo_verify.campaigns import run_campaign
if __name__ == "__main__":
    def shown(progress):
        print(progress.done, flush=True)
        time.sleep(0.02)
    run_campaign(sys.argv[1], [{FALSE!r}, {TRUE!r}], {COUNT}, seed=5, workers=int(sys.argv[2]), progress=shown)
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "campaign.py"
    path.write_text(RUN)
    return path


def children_of(process):
    """The processes that a process started, by Linux's table of them."""
    path = Path(f"/proc/{process}/task/{process}/children")
    return [int(word) for word in path.read_text().split()] if path.exists() else []


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def begun(script, ledger, workers):
    return subprocess.Popen([sys.executable, script, ledger, str(workers)], stdout=subprocess.PIPE, text=True)


def test_killed_at_any_moment_the_ledger_ends_up_the_same(whole, script, tmp_path):
    """SIGKILL after each of the first chunks, and at random moments in between."""
    ledger = tmp_path / "killed.db"
    generator = np.random.default_rng(1)
    kills = 0
    for _ in range(4):
        with begun(script, ledger, 1) as process:
            line = process.stdout.readline()
            time.sleep(generator.uniform(0, 0.05))
            process.kill()
        kills += bool(line)
        assert not ledger.exists() or read_campaign(ledger).done <= 2 * COUNT
    assert kills >= 2
    assert run_campaign(ledger, workers=1).digest == whole.digest
    assert sqlite3.connect(ledger).execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers in Linux's table of processes")
def test_workers_and_then_the_campaign_are_killed(whole, script, tmp_path):
    ledger = tmp_path / "workers.db"
    with begun(script, ledger, 2) as process:
        process.stdout.readline()
        workers = [child for child in children_of(process.pid) if b"spawn_main" in cmdline(child)]
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        process.stdout.readline()  # it goes on with new workers
        workers = [child for child in children_of(process.pid) if b"spawn_main" in cmdline(child)]
        process.kill()
        process.wait()
        deadline = time.monotonic() + 20
        while any(map(alive, workers)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(map(alive, workers)), "a worker ends with its campaign"
    assert run_campaign(ledger, workers=1).digest == whole.digest


def cmdline(process):
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="this system has no groups of processes")
def test_an_interruption_while_workers_begin_leaves_no_traceback(tmp_path):
    """The keyboard interrupts all processes of a group, also one that is only importing what it needs."""
    ledger = tmp_path / "ledger.db"
    words = [sys.executable, "-m", "mappo_verify", "campaign", "run", ledger, "-c", TRUE, "-n", "1e6", "-w", "2"]
    running = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not ledger.exists():
        assert running.poll() is None
        time.sleep(0.01)
    time.sleep(0.4)
    os.killpg(running.pid, signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130 and "Traceback" not in said, said
    assert f"mappo-verify campaign run {ledger} continues" in said


def test_a_violation_whose_counterexample_was_lost_gets_it_again(whole, tmp_path):
    ledger = tmp_path / "lost.db"
    run_campaign(ledger, [FALSE, TRUE], COUNT, seed=5, workers=1)
    with sqlite3.connect(ledger) as connection:
        connection.execute("DELETE FROM witnesses")
    lost = read_campaign(ledger)
    assert lost[FALSE].witness is None and not lost.complete
    assert run_campaign(ledger, workers=1).digest == whole.digest


class Dying(InProcess):
    """Workers of which the first ones die."""

    deaths = 0

    def submit(self, function, /, *args, **kwargs):
        if Dying.deaths:
            Dying.deaths -= 1
            future = Future()
            future.set_exception(BrokenExecutor("killed"))
            return future
        return super().submit(function, *args, **kwargs)


def test_workers_that_die_again_and_again_end_the_run_and_nothing_is_lost(whole, tmp_path, monkeypatch):
    monkeypatch.setattr("mappo_verify.campaigns.run.local", lambda _: nullcontext(Dying()))
    ledger = tmp_path / "dying.db"
    Dying.deaths = PATIENCE + 1
    with pytest.raises(CampaignError, match=r"workers died 4 times in a row .* lemma-b\.2"):
        run_campaign(ledger, [FALSE, TRUE], COUNT, seed=5)
    Dying.deaths = PATIENCE
    assert run_campaign(ledger).digest == whole.digest


# --- clusters ---------------------------------------------------------------------------------------------------------


def test_a_dask_cluster_of_two_processes_of_which_one_is_killed(whole, tmp_path):
    distributed = pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    killed = []

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as local:

        def kill_one(_):
            if not killed:
                worker = next(iter(local.workers.values()))
                killed.append(worker.pid)
                os.kill(worker.pid, signal.SIGKILL)

        report = run_campaign(
            tmp_path / "dask.db", [FALSE, TRUE], COUNT, seed=5, scheduler=local.scheduler_address, progress=kill_one
        )
    assert killed and report.digest == whole.digest


def test_a_scheduler_that_is_not_there():
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    with pytest.raises(CampaignError, match="no Dask scheduler answers"), cluster("tcp://127.0.0.1:1", timeout=1):
        pass


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CampaignError, match=r"mappo-verify\[dask\]"), cluster("tcp://127.0.0.1:1"):
        pass


# --- shares and merging ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shares(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shares")
    paths = [folder / "one.db", folder / "two.db"]
    for part, path in enumerate(paths, 1):
        run_campaign(path, [FALSE, TRUE], COUNT, seed=5, share=(part, 2), workers=1)
    return paths


def test_shares_of_two_machines_make_the_whole(whole, shares, tmp_path):
    assert sum(read_campaign(path).done for path in shares) == whole.done
    merged = merge_campaigns(tmp_path / "merged.db", [shares[1], shares[0], whole.path])
    assert merged.digest == whole.digest


def test_machines_that_disagree_are_found(whole, shares, tmp_path):
    wrong = tmp_path / "wrong.db"
    wrong.write_bytes(shares[0].read_bytes())
    with sqlite3.connect(wrong) as connection:
        connection.execute(
            "UPDATE chunks SET holds = holds - 1, violated = 1, simplest = 0 WHERE claim = ? AND chunk = 0", (TRUE,)
        )
    with pytest.raises(CampaignError, match=r"disagree on lemma-b\.2/gradient-bound, instances from 0: holds is"):
        merge_campaigns(tmp_path / "merged.db", [wrong, whole.path])


def test_what_is_no_part_of_the_same_campaign_is_not_merged(whole, tmp_path):
    run_campaign(tmp_path / "other.db", [TRUE], 10, seed=5, workers=1)
    with pytest.raises(CampaignError, match="different claims and instances"):
        merge_campaigns(tmp_path / "merged.db", [whole.path, tmp_path / "other.db"])
    with pytest.raises(CampaignError, match="nothing to merge"):
        merge_campaigns(tmp_path / "merged.db", [])


# --- what is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"claims": [TRUE]}, "begin a new ledger for other claims"),
        ({"seed": 6}, "has seed 5, not 6"),
        ({"share": (1, 2)}, "share"),
        ({"instances": 100}, f"is to hold {COUNT} instances"),
        ({"workers": 0}, "workers = 0"),
    ],
)
def test_a_ledger_is_continued_as_it_was_begun(whole, asked, message):
    with pytest.raises(CampaignError, match=message):
        run_campaign(whole.path, **asked)


def test_what_is_no_ledger_is_refused(tmp_path):
    text, database = tmp_path / "text.db", tmp_path / "other.db"
    text.write_text("no database, but longer than the header of one " * 10)
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE something (x)")
    for path in (text, database):
        with pytest.raises(CampaignError, match="is no ledger"):
            read_campaign(path)
    with pytest.raises(CampaignError, match="there is no ledger"):
        read_campaign(tmp_path / "none.db")
    with pytest.raises(CampaignError, match="say how many instances"):
        run_campaign(tmp_path / "none.db")


def changed(whole, path, statement, *values):
    """A copy of the ledger at a path, in which one statement was carried out by hand."""
    path.write_bytes(whole.path.read_bytes())
    with sqlite3.connect(path) as connection:
        connection.execute(statement, values)
    return path


def test_other_formulas_do_not_continue_a_ledger(whole, tmp_path):
    other = changed(whole, tmp_path / "other.db", "UPDATE about SET value = 'x' WHERE name = 'formulas'")
    with pytest.raises(CampaignError, match="other formulas"):
        run_campaign(other)
    with pytest.raises(CampaignError, match="different formulas"):
        merge_campaigns(tmp_path / "merged.db", [whole.path, other])


def test_a_worker_with_other_formulas_is_refused(tmp_path, monkeypatch):
    def elsewhere(seed, task):
        return replace(evaluate_chunk(seed, task), formulas="x")

    monkeypatch.setattr("mappo_verify.campaigns.run.evaluate_chunk", elsewhere)
    with pytest.raises(CampaignError, match="a worker has other formulas"):
        run_campaign(tmp_path / "a.db", [TRUE], 10, workers=1)


def test_one_process_writes(whole):
    with only_writer(whole.path), pytest.raises(CampaignError, match="another process is writing"):
        run_campaign(whole.path)


def test_claims_about_samples_are_refused_by_name_and_left_out_of_all():
    with pytest.raises(CampaignError, match=r"lemma-c\.1"):
        plan_of(["lemma-c.1"], 10, 0, (1, 1))
    every = plan_of(None, 10, 0, (1, 1)).instances
    assert TRUE in every and "lemma-c.1" not in every


@pytest.mark.parametrize("share", [(1, 1), (1, 3), (2, 3), (3, 3), (5, 7)])
@pytest.mark.parametrize("count", [1, CHUNK, CHUNK + 1, 4 * CHUNK, 7 * CHUNK - 3])
def test_what_a_share_is_asked_for(share, count):
    plan = Plan(0, {TRUE: count}, share)
    assert plan.asked(claim(TRUE)) == sum(task.instances for task in plan.tasks())


def test_a_damaged_ledger_is_named(whole, tmp_path):
    damaged = tmp_path / "damaged.db"
    deep = "arithmetics = '" + "[" * 3000 + "'"
    for change in ("ratio = '1/0'", "arithmetics = '{'", "ratio_at = NULL", deep):
        changed(whole, damaged, f"UPDATE chunks SET {change} WHERE claim = ? AND ratio IS NOT NULL", FALSE)
        with pytest.raises(CampaignError, match="is damaged"):
            read_campaign(damaged)


OF_ONE = f"WHERE claim = '{TRUE}' AND chunk = 1"
IMPOSSIBLE = {
    "more than were asked": f"UPDATE chunks SET instances = instances + 1, holds = holds + 1 {OF_ONE}",
    "a sum that is another one": f"UPDATE chunks SET holds = holds - 1 {OF_ONE}",
    "less than nothing": f"UPDATE chunks SET holds = holds + 5, undecided = -5 {OF_ONE}",
    "no arithmetic": f"UPDATE chunks SET arithmetics = '{{\"by hand\": 5000}}' {OF_ONE}",
    "a list": f"UPDATE chunks SET arithmetics = '[]' {OF_ONE}",
    "a chunk that nobody asked for": f"UPDATE chunks SET chunk = 7 {OF_ONE}",
    "a chunk of another share": "UPDATE about SET value = '1/2' WHERE name = 'share'",
    "a claim that is not in the plan": f"UPDATE chunks SET claim = 'lemma-b.5' {OF_ONE}",
    "violated, and nowhere": f"UPDATE chunks SET holds = holds - 1, violated = 1 {OF_ONE}",
    "open, and nowhere": f"UPDATE chunks SET open_at = 3 {OF_ONE}",
    "a ratio of no instance": f"UPDATE chunks SET ratio_at = 5000 {OF_ONE}",
    "a ratio that would take hours": f"UPDATE chunks SET ratio = '1e999999999' {OF_ONE}",
    "a counterexample where none is violated": f"UPDATE witnesses SET claim = '{TRUE}'",
    "another instance": "UPDATE witnesses SET steps = steps + 1",
    "no certificate": "UPDATE witnesses SET certificate = '{}'",
    "a certificate that is rejected": """UPDATE witnesses SET certificate = replace(certificate, '"chain": 0', '"chain": 1')""",
}
"""What no campaign writes, so that no report may say it."""


@pytest.mark.parametrize("change", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_was_not_computed_is_not_reported(whole, tmp_path, change):
    edited = changed(whole, tmp_path / "edited.db", change)
    with pytest.raises(MappoVerifyError, match=r"edited\.db is damaged"):
        read_campaign(edited)


def test_a_terminal_obeys_no_ledger(whole, tmp_path):
    broken = "UPDATE chunks SET broken = ? WHERE claim = ?"
    edited = changed(whole, tmp_path / "edited.db", broken, "x\x1b[2K\nPROVED", TRUE)
    assert _notes(read_campaign(edited)[TRUE]) == [f"{TRUE}: a step of the proof fails: x\\x1b[2K\\nPROVED"]


def test_a_claim_about_samples_is_in_no_ledger(whole, tmp_path):
    samples = "INSERT INTO claims VALUES ('theorem-5.5/probability', 9, 100)"
    edited = changed(whole, tmp_path / "edited.db", samples)
    with pytest.raises(CampaignError, match="holds with probability 1 - δ"):
        run_campaign(edited, workers=1)


CHANGES = ("DROP TABLE claims", "DROP TABLE chunks", "DROP TABLE witnesses", "UPDATE chunks SET simplest = 1e9")


@pytest.mark.parametrize("change", CHANGES)
def test_damage_is_named_by_every_command(whole, tmp_path, change):
    damaged = changed(whole, tmp_path / "damaged.db", change)
    for command in (
        lambda: run_campaign(damaged, workers=1),
        lambda: merge_campaigns(tmp_path / "all.db", [damaged]),
    ):
        with pytest.raises(CampaignError, match="is damaged"):
            command()
    assert not (tmp_path / "all.db").exists()


def test_a_merge_that_fails_leaves_no_half(whole, shares, tmp_path):
    other = tmp_path / "other.db"
    other.write_bytes(shares[0].read_bytes())
    with sqlite3.connect(other) as connection:
        connection.execute("UPDATE chunks SET broken = 'another step'")
    with pytest.raises(CampaignError, match="disagree on"):
        merge_campaigns(tmp_path / "all.db", [shares[0], other])
    assert not list(tmp_path.glob("all.db*"))
    with pytest.raises(CampaignError, match="exists; merge into a new file"):
        merge_campaigns(shares[1], [whole.path])


@pytest.mark.parametrize("place", [".", "/", "missing/x.db"])
def test_no_place_for_a_ledger(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CampaignError, match="is no place for a ledger; name a file in a folder that exists"):
        run_campaign(place, [TRUE], 10, workers=1)


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1", "inproc://x", "tcp://a b:1", ""])
def test_a_scheduler_needs_an_address(address):
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    with pytest.raises(CampaignError, match=r"is not an address such as tcp://"), cluster(address):
        pass


@pytest.mark.parametrize("plan", [{"seed": -1}, {"share": (3, 2)}, {"share": (0, 2)}, {"instances": {TRUE: 0}}])
def test_malformed_plans(plan):
    with pytest.raises(CampaignError):
        Plan(**({"seed": 0, "instances": {TRUE: 1}} | plan))


def test_witness_of_a_later_chunk_gives_way(tmp_path):
    """Chunks may be finished in any order; the counterexample is that of the first violated one."""
    first = evaluate_chunk(5, Task(FALSE, 0, CHUNK))
    later = evaluate_chunk(5, Task(FALSE, 1, CHUNK))
    with Ledger.begin(tmp_path / "a.db", Plan(5, {FALSE: 2 * CHUNK}), first.formulas) as ledger:
        ledger.add(later)
        ledger.add_witness(find_witness(5, FALSE, 1, later.simplest))
    assert read_campaign(tmp_path / "a.db")[FALSE].witness.chunk == 1
    assert run_campaign(tmp_path / "a.db", workers=1)[FALSE].witness.chunk == 0


def test_in_process_workers_hand_errors_over():
    future = InProcess().submit(lambda: 1 / 0)
    wait([future])
    with pytest.raises(ZeroDivisionError):
        future.result()


def test_every_worker_has_a_task_and_another_one_waiting():
    def dask(*threads):
        return SimpleNamespace(_client=SimpleNamespace(nthreads=lambda: dict(enumerate(threads))))

    assert width_of(InProcess(), 3) == 1 and width_of(SimpleNamespace(), 3) == 6
    assert width_of(dask(2, 3), 4) == 10 and width_of(dask(), 4) == 2, "of a cluster its threads count"


# --- the command line -------------------------------------------------------------------------------------------------------


@pytest.fixture
def mappo(monkeypatch, capsys):
    def call(*words):
        monkeypatch.setattr("sys.argv", ["mappo-verify", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return call


def test_commands(mappo, whole, shares, tmp_path):
    ledger = tmp_path / "cli.db"
    code, out, _ = mappo("campaign", "run", ledger, "--claims", f"{FALSE},{TRUE}", "-n", "1.01e4", "--seed", 5, "-w", 1)
    both = f"{2 * COUNT:,}"
    assert code == 1 and f"{both} of {both} instances, seed 5; complete" in out and whole.digest in out
    code, out, _ = mappo("campaign", "report", ledger, "--json", "-", "--html", tmp_path / "page.html")
    data = json.loads(out)
    assert code == 1 and data["digest"] == whole.digest and data["claims"][0]["standing"] == "REFUTED"
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert whole.digest in page and "<script" not in page and FALSE in page
    code, out, _ = mappo("campaign", "report", ledger, "--certificates", tmp_path / "certificates")
    assert [path.name for path in (tmp_path / "certificates").iterdir()] == ["lemma-b.2-printed-gradient-bound.json"]
    code, out, _ = mappo("campaign", "merge", tmp_path / "merged.db", *shares)
    assert code == 1 and whole.digest in out
    code, out, _ = mappo("campaign", "report", shares[0])
    assert "share 1/2" in out


@pytest.mark.parametrize("words", [["-n", "1.5"], ["-n", "many"], ["-n", "0"], ["-n", "10", "--share", "1-2"]])
def test_malformed_options(mappo, tmp_path, words):
    code, _, err = mappo("campaign", "run", tmp_path / "a.db", "-c", TRUE, *words)
    assert code == 2 and err and not (tmp_path / "a.db").exists()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"claims": 3}, "claims come in a list"),
        ({"claims": [TRUE], "instances": 1.5}, r"1\.5 instances of .*; ask for 1 to"),
        ({"claims": [TRUE], "instances": "x"}, "'x' instances of"),
        ({"claims": [TRUE], "instances": 1, "seed": 1.5}, r"seed = 1\.5 is not an integer of at least 0"),
        ({"claims": [TRUE], "instances": 1, "share": 3}, r"share = 3; it is \(i, n\)"),
        ({"claims": [TRUE], "instances": 1, "share": (1.5, 2)}, r"share = \(1\.5, 2\); it is \(i, n\)"),
        ({"claims": [TRUE], "instances": 1, "workers": "x"}, "workers = 'x'; at least one"),
        ({"claims": [TRUE], "instances": 1, "scheduler": 3}, "scheduler = 3 is not an address"),
        ({"claims": [TRUE], "instances": 1, "progress": 3}, "progress = 3 is not a function"),
    ],
)
def test_wrong_arguments_are_no_damage(tmp_path, asked, message):
    with pytest.raises(MappoVerifyError, match=message):
        run_campaign(tmp_path / "new.db", **({"instances": 1} | asked))
    assert not (tmp_path / "new.db").exists()


@pytest.mark.parametrize("path", [None, 3, "a\0b"])
def test_what_is_no_path_of_a_ledger(path):
    for command in (run_campaign, read_campaign, lambda target: merge_campaigns("all.db", [target])):
        with pytest.raises(CampaignError, match="is not the path of a ledger"):
            command(path)
    with pytest.raises(CampaignError, match="give the ledgers as a list"):
        merge_campaigns("all.db", "abc")
