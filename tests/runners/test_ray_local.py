"""Processes that a run started: seen when they die, and ended when the run is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from rec_msa.bookkeeping import guard
from rec_msa.bookkeeping.guard import end
from rec_msa.bookkeeping.processes import born, lives, started_by
from rec_msa.framework.clear_error import ClearError
from rec_msa.runners import ray_local
from rec_msa.runners.ray_local import LocalRay

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
PARENT = f"import subprocess, time; subprocess.Popen({SLEEP!r}); time.sleep(60)"


def wait_for(condition, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(met)


def test_a_process_is_known_with_those_that_it_started():
    with subprocess.Popen([sys.executable, "-c", PARENT]) as parent:
        assert wait_for(lambda: len(started_by(parent.pid)) == 1)
        (child,) = started_by(parent.pid)
        assert {parent.pid, child} <= started_by(os.getpid()).keys()
        since = born(child)
        assert lives(child, since)
        assert not lives(child, since + 10)
        parent.kill()
        end({child: since})
        assert wait_for(lambda: not lives(child, since))


def test_another_process_with_the_number_of_one_that_has_ended_is_left_alone(monkeypatch):
    monkeypatch.setattr(guard, "GRACE_SECONDS", 0.0)
    with subprocess.Popen(SLEEP) as other:
        since = born(other.pid)
        end({other.pid: since - 10})
        assert lives(other.pid, since)
        other.kill()


def test_what_a_killed_run_had_started_outlived_it():
    script = f"""
import os, subprocess, sys, time
sys.argv = ["x"]
from rec_msa.runners.ray_local import LocalRay
child = subprocess.Popen({SLEEP!r})
with LocalRay().ended_with_this_process():
    print(child.pid, flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        child = int(run.stdout.readline())
        since = born(child)
        run.send_signal(signal.SIGKILL)
        run.wait()
        assert lives(child, since)
        assert wait_for(lambda: not lives(child, since), 30)


@pytest.mark.parametrize("name", ["gcs_server", "raylet"])
def test_a_head_or_raylet_that_was_killed_was_waited_for_without_a_word(monkeypatch, name):
    with subprocess.Popen(SLEEP) as process:
        monkeypatch.setattr(ray_local, "command_of", lambda each: name if each == process.pid else "python")
        ray = LocalRay()
        ray.require_alive()
        process.kill()
        process.wait()
        said = {"gcs_server": "head", "raylet": "raylet"}[name]
        with pytest.raises(
            ClearError, match=rf"Ray's {said} \(process {process.pid}\) died; .* go on with --only-missing"
        ):
            ray.require_alive()


def test_a_run_that_ray_keeps_waiting_after_its_head_died_ended_without_a_word():
    script = f"""
import subprocess, time
from rec_msa.runners import ray_local
child = subprocess.Popen({SLEEP!r})
ray_local.command_of = lambda process: "gcs_server" if process == child.pid else "python"
ray_local.LOOK_SECONDS = ray_local.GRACE_SECONDS = 0.1
with ray_local.LocalRay().ended_with_this_process():
    child.kill()
    child.wait()
    time.sleep(60)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "Error: RayRunner: Ray's head (process " in done.stderr
