"""Two runs that would write the same artifacts: the second refuses and names the first."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, NoReturn

import fsspec
import psutil
import pytest

from rec_msa.bookkeeping import locks
from rec_msa.bookkeeping.locks import Lock, LockedError
from rec_msa.bookkeeping.processes import born

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["file", "memory"])
def place(request, tmp_path):
    """A file system and a folder for locks on it."""
    return fsspec.filesystem(request.param), f"{tmp_path}/.locks"


@pytest.fixture(autouse=True)
def _freed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A lock that is left beats on: its file was opened while another test heard which files an attack opens."""
    taken, take = [], Lock.take

    def remembered(lock: Lock, patience: float = 0.0) -> None:
        taken.append(lock)
        take(lock, patience)

    monkeypatch.setattr(Lock, "take", remembered)
    yield
    for lock in taken:
        lock.free()


def names(place) -> list[str]:
    fs, folder = place
    return [path for path in fs.ls(folder, detail=False) if path.endswith(".json")]


def rewrite(place, **change: object) -> None:
    """Makes the only claim another's."""
    fs, _ = place
    (path,) = names(place)
    fs.pipe_file(path, json.dumps({**json.loads(fs.cat_file(path)), **change}).encode())


def test_the_second_run_refuses_and_names_the_first(place):
    first, second = Lock(*place, ["a", "b"]), Lock(*place, ["b", "c"])
    first.take()
    with pytest.raises(LockedError) as refusal:
        second.take()
    said = str(refusal.value)
    assert "1 of the same artifacts, as b" in said
    assert f"process {os.getpid()} on {first.claim.host}, since {time.strftime('%Y-')}" in said
    assert len(names(place)) == 1
    first.free()
    second.take()
    second.free()
    assert not names(place)


def test_runs_that_write_different_artifacts_do_not_disturb_each_other(place):
    first, second = Lock(*place, ["a"]), Lock(*place, ["b"])
    first.take()
    second.take()
    first.free()
    second.free()


def test_one_that_may_wait_waits(place):
    first, second = Lock(*place, ["a"]), Lock(*place, ["a"])
    first.take()
    threading.Timer(0.3, first.free).start()
    second.take(patience=10)
    second.free()


def test_several_that_wait_do_not_wait_for_each_other(place):
    first, *others = (Lock(*place, ["a"]) for _ in range(4))
    first.take()
    threading.Timer(0.5, first.free).start()

    def wait(lock: Lock) -> None:
        lock.take(patience=30)
        lock.free()

    waiting = [threading.Thread(target=wait, args=[lock]) for lock in others]
    for one in waiting:
        one.start()
    for one in waiting:
        one.join(10)
    assert not any(one.is_alive() for one in waiting)
    assert not names(place)


def test_the_lock_of_a_dead_process_is_taken_over(place):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        Lock(*place, ["a"]).take()
        rewrite(place, process=other.pid, since_boot=born(other.pid))
        with pytest.raises(LockedError, match=f"process {other.pid}"):
            Lock(*place, ["a"]).take()
        other.send_signal(signal.SIGKILL)
        time.sleep(0.1)
        # It has not been waited for yet, and is dead all the same.
        Lock(*place, ["a"]).take()


def test_the_lock_of_an_earlier_process_with_the_same_number_is_taken_over(place):
    Lock(*place, ["a"]).take()
    rewrite(place, since_boot=-10.0)
    Lock(*place, ["a"]).take()


@pytest.mark.parametrize(("seconds", "alive"), [(180, True), (0.2, False)])
def test_a_run_on_another_machine_is_dead_when_it_has_not_been_heard_of(place, monkeypatch, seconds, alive):
    monkeypatch.setattr(locks, "DEAD_AFTER_SECONDS", seconds)
    Lock(*place, ["a"]).take()
    rewrite(place, host="elsewhere", world="elsewhere", beat=time.time() - 1000)  # that machine's clock is slow
    time.sleep(0.4)
    second = Lock(*place, ["a"])
    if alive:
        with pytest.raises(LockedError, match="on elsewhere"):
            second.take()
    else:
        second.take()


@pytest.mark.parametrize("where", ["place of a container with the same name", "", None])
def test_a_run_in_another_container_of_the_same_name_was_taken_for_dead(place, where):
    Lock(*place, ["a"]).take()
    # There, another process has this number, or none; the machine may have started at another time, too.
    rewrite(place, world=where, process=1, since_boot=-10.0)
    with pytest.raises(LockedError, match="process 1 on "):
        Lock(*place, ["a"]).take()


def test_a_run_reads_what_another_would_write_and_the_other_refuses(place):
    reading = Lock(*place, ["result"], reads=["data", "more"])
    reading.take()
    with pytest.raises(LockedError, match="another run reads 1 of the same artifacts, as data"):
        Lock(*place, ["data"]).take()
    reading.free()


def test_a_run_that_reads_what_another_writes_refuses(place):
    writing = Lock(*place, ["data"])
    writing.take()
    with pytest.raises(LockedError, match="another run writes 1 of the same artifacts, as data"):
        Lock(*place, ["result"], reads=["data"]).take()
    writing.free()


def test_two_runs_may_read_one_file(place):
    first, second = Lock(*place, ["a"], reads=["data"]), Lock(*place, ["b"], reads=["data"])
    first.take()
    second.take()
    first.free()
    second.free()


@pytest.mark.parametrize(("seconds", "left"), [(180, 1), (0.2, 0)])
def test_what_a_killed_run_left_of_its_claim_stayed_for_ever(place, monkeypatch, seconds, left):
    monkeypatch.setattr(locks, "DEAD_AFTER_SECONDS", seconds)
    fs, folder = place
    fs.makedirs(folder, exist_ok=True)
    fs.pipe_file(f"{folder}/0123.json.part", b'{"na')
    time.sleep(0.4)
    lock = Lock(*place, ["a"])
    lock.take()
    lock.free()
    assert len(fs.ls(folder, detail=False)) == left


def test_a_run_lets_others_hear_of_it(place, monkeypatch):
    monkeypatch.setattr(locks, "BEAT_SECONDS", 0.05)
    lock = Lock(*place, ["a"])
    lock.take()
    time.sleep(0.3)
    (path,) = names(place)
    assert json.loads(place[0].cat_file(path))["beat"] > lock.claim.since + 0.1
    lock.free()
    assert not names(place)


def test_of_two_runs_that_start_together_one_at_most_goes_on(place):
    for _ in range(10):
        taken: list[Lock] = []

        def start(lock: Lock, taken: list[Lock] = taken) -> None:
            try:
                lock.take()
            except LockedError:
                return
            taken.append(lock)

        runs = [threading.Thread(target=start, args=(Lock(*place, ["a"]),)) for _ in range(4)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        assert len(taken) <= 1
        for lock in taken:
            lock.free()


def test_a_damaged_lock_file_stops_nobody(place):
    fs, folder = place
    fs.makedirs(folder, exist_ok=True)
    fs.pipe_file(f"{folder}/0123.json", b'{"host"')
    lock = Lock(*place, ["a"])
    lock.take()
    lock.free()


def test_what_was_left_of_writing_a_claim_stayed_for_ever(place):
    fs, folder = place
    lock = Lock(*place, ["a"])
    lock.take()
    fs.pipe_file(f"{folder}/{lock.claim.name}.part", b"{}")
    lock.free()
    assert not fs.ls(folder, detail=False)


def test_a_lock_that_was_never_taken_can_be_freed(place):
    Lock(*place, ["a"]).free()


def test_a_process_that_ends_while_it_is_looked_at_stops_nobody(place, monkeypatch):
    lock, other = Lock(*place, ["a"]), Lock(*place, ["a"])
    other.take()

    def gone(process: int) -> NoReturn:
        raise psutil.NoSuchProcess(process)

    monkeypatch.setattr(psutil, "Process", gone)
    lock.take()
    lock.free()
    other.free()


def test_a_machine_whose_start_may_not_be_read_ended_every_run(place, monkeypatch):
    read = locks.Path.read_text

    def refuse(path: locks.Path, **how: str) -> str:
        if path.name == "boot_id":
            raise PermissionError(13, "Permission denied")
        return read(path, **how)

    monkeypatch.setattr(locks.Path, "read_text", refuse)
    lock, other = Lock(*place, ["a"]), Lock(*place, ["a"])
    assert not lock.claim.world
    other.take()
    with pytest.raises(LockedError):
        lock.take()
    other.free()


@pytest.mark.parametrize("lacks", [["reads"], ["world"], ["world", "reads", "writes"], ["since_boot"]])
def test_the_claim_of_a_living_run_of_the_version_before_was_removed(place, lacks):
    fs, folder = place
    first = Lock(*place, ["b/a"])
    first.take()
    (path,) = names(place)
    said = {**json.loads(fs.cat_file(path)), "paths": [f"{folder.removesuffix('/.locks')}/b/a"], "from": "later"}
    fs.pipe_file(path, json.dumps({key: value for key, value in said.items() if key not in lacks}).encode())
    with pytest.raises(LockedError):
        Lock(*place, ["b/a"]).take()
    first.free()


@pytest.mark.parametrize("written", [b"[]", b"7", b"{"])
def test_what_is_no_claim_at_all_is_removed_and_what_may_be_one_is_left(place, written):
    fs, folder = place
    fs.makedirs(folder, exist_ok=True)
    fs.pipe_file(f"{folder}/0123.json", written)
    fs.pipe_file(f"{folder}/4567.json", b'{"writes": 5}')
    lock = Lock(*place, ["a"])
    lock.take()
    lock.free()
    assert [path.rpartition("/")[2] for path in names(place)] == ["4567.json"]
