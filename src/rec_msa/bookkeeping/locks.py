"""Locks: where a run would write what another writes or reads, the second refuses and names the first.

Each run leaves a file beside the artifacts that says who it is, what it writes and what it reads, and writes it anew
now and then. It works on every file system that lists what was just written: a run first says what it wants, then looks
at the others, so of two that start together at least one sees the other.
"""

from __future__ import annotations

import atexit
import json
import os
import posixpath
import socket
import threading
import time
import uuid
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rec_msa.bookkeeping.processes import born, command_line, lives
from rec_msa.foundation.errors import RecMsaError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsspec import AbstractFileSystem

BEAT_SECONDS = 15.0
DEAD_AFTER_SECONDS = 180.0
"""A run on another machine that has not been heard of for so long is dead; on this machine its process tells."""
UNDECIDED_SECONDS = 5.0
RETRY_SECONDS = 0.2


class LockedError(RecMsaError):
    """Another run works on the same artifacts."""


@dataclass(frozen=True)
class Claim:
    """What a run says of itself.

    Attributes:
        name: The lock file's name.
        host: The machine, for a person.
        world: Where its process id means something, see ``_world``; empty where nobody can tell.
        process: The process id there.
        since_boot: When that process was ``born``, since a process id is used again; None where it is not known.
        command: What was typed.
        since: When the run began, seconds since 1970.
        beat: When it was last heard of.
        held: Whether it has looked at the others.
        writes: The files that it writes, relative to the folder of the artifacts: that may have another path elsewhere.
        reads: The files that it reads and does not write.
    """

    name: str
    host: str
    world: str
    process: int
    since_boot: float | None
    command: str
    since: float
    beat: float
    held: bool
    writes: tuple[str, ...]
    reads: tuple[str, ...]

    def shared_with(self, other: Claim) -> list[str]:
        """The files that both work on and one of them writes."""
        mine, theirs = set(self.writes), set(other.writes)
        return sorted((mine & theirs) | (mine & set(other.reads)) | (theirs & set(self.reads)))


class Lock:
    """The claim of this run on the files that it writes and reads.

    Args:
        fs: The artifacts' file system.
        folder: The folder for lock files there.
        writes: The files that this run writes, named alike by every run.
        reads: Those that it reads; several runs may read one file at once.
    """

    def __init__(self, fs: AbstractFileSystem, folder: str, writes: Iterable[str], reads: Iterable[str] = ()) -> None:
        now, written = time.time(), set(writes)
        self.fs, self.folder = fs, folder
        self.claim = Claim(
            f"{uuid.uuid4().hex}.json",
            socket.gethostname(),
            _world(),
            os.getpid(),
            born(os.getpid()),
            command_line(),
            *(now, now),
            held=False,
            writes=tuple(sorted(written)),
            reads=tuple(sorted(set(reads) - written)),
        )
        self._ended = threading.Event()
        self._changing = threading.Lock()
        self._beating: threading.Thread | None = None

    def take(self, patience: float = 0.0) -> None:
        """Claims the files.

        Args:
            patience: Seconds to wait for a run that holds some of them.

        Raises:
            LockedError: Another run that is alive writes some of them, or reads what this one writes.
        """
        patient_until = time.monotonic() + patience
        while True:
            try:
                return self._claim()
            except LockedError:
                # What waits leaves no claim: others would wait for it in turn.
                if time.monotonic() >= patient_until:
                    raise
            time.sleep(RETRY_SECONDS)

    def free(self) -> None:
        """Gives the files up."""
        self._ended.set()
        if self._beating is not None:
            self._beating.join()
        atexit.unregister(self.free)
        self._remove(self.claim.name)

    def _claim(self) -> None:
        self._ended.clear()
        self.fs.makedirs(self.folder, exist_ok=True)
        self._write(since=time.time(), held=False)
        self._beating = threading.Thread(target=self._beat, daemon=True)
        self._beating.start()
        atexit.register(self.free)
        try:
            self._give_way()
            self._write(held=True)
        except BaseException:
            self.free()
            raise

    def _give_way(self) -> None:
        """Refuses where another run holds a file, or claimed it earlier; waits for one that is about to refuse."""
        deadline = time.monotonic() + UNDECIDED_SECONDS
        while others := self._others():
            mine = self.claim.since, self.claim.name
            first = min(others, key=lambda other: (not other.held, other.since, other.name))
            if first.held or (first.since, first.name) < mine or time.monotonic() > deadline:
                raise LockedError(self._explain(first))
            time.sleep(0.05)

    def _others(self) -> list[Claim]:
        """Living claims on the same files; those of dead runs are taken away."""
        self.fs.invalidate_cache()
        found = []
        for path in self.fs.ls(self.folder, detail=False):
            name = path.rpartition("/")[2]
            claim = None if name == self.claim.name or not name.endswith(".json") else self._read(name)
            if claim is None:
                self._remove_half_written(name)
            elif not self._is_alive(claim):
                self._remove(name)
            elif self.claim.shared_with(claim):
                found.append(claim)
        return found

    def _is_alive(self, claim: Claim) -> bool:
        """Whether its run may still be working."""
        if claim.world and claim.world == self.claim.world and claim.since_boot is not None:
            return lives(claim.process, claim.since_boot)
        return self._seconds_since(claim.name, claim.beat) < DEAD_AFTER_SECONDS

    def _seconds_since(self, name: str, beat: float) -> float:
        """How long ago a file was written, by the file system's clock: those of two machines may differ."""
        mine, theirs = (f"{self.folder}/{each}" for each in (self.claim.name, name))
        try:
            return float((self.fs.modified(mine) - self.fs.modified(theirs)).total_seconds())
        except FileNotFoundError:
            return 0.0
        except NotImplementedError:
            return time.time() - beat

    def _remove_half_written(self, name: str) -> None:
        """Takes away what a run left that was killed while it wrote its claim: nobody writes one for minutes."""
        if name.endswith(".part") and self._seconds_since(name, time.time()) > DEAD_AFTER_SECONDS:
            self._remove(name.removesuffix(".part"), claim=False)

    def _explain(self, other: Claim) -> str:
        shared = self.claim.shared_with(other)
        does = "writes" if set(shared) & set(other.writes) else "reads"
        since = datetime.fromtimestamp(other.since).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
        return (
            f"another run {does} {len(shared)} of the same artifacts, as {shared[0]}: process {other.process} on "
            f"{other.host}, since {since} ({other.command}); wait for it, or end it and start again"
        )

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            try:
                self._write(beat=time.time())
            except OSError:
                continue  # a full disk is the run's own to report

    def _write(self, **change: Any) -> None:
        with self._changing:
            self.claim = replace(self.claim, **change)
            part = f"{self.folder}/{self.claim.name}.part"
            self.fs.pipe_file(part, json.dumps(asdict(self.claim)).encode())
            if not self._ended.is_set():
                self.fs.mv(part, f"{self.folder}/{self.claim.name}")

    def _read(self, name: str) -> Claim | None:
        """Another run's claim; one that says nothing to this version is left, since its run may live."""
        try:
            raw = json.loads(self.fs.cat_file(f"{self.folder}/{name}"))
        except FileNotFoundError:
            return None  # given up in the meantime
        except (ValueError, RecursionError):
            raw = None
        if not isinstance(raw, dict):
            self._remove(name)  # damaged: written whole, so nobody's
            return None
        try:
            return _claim_of(raw, name, posixpath.dirname(self.folder))
        except (ValueError, TypeError, OverflowError):
            if self._seconds_since(name, time.time()) > DEAD_AFTER_SECONDS:
                self._remove(name)
            return None

    def _remove(self, name: str, *, claim: bool = True) -> None:
        """Removes a claim, and what was left of writing it."""
        whole = f"{self.folder}/{name}"
        for path in [whole] * claim + [f"{whole}.part"]:
            try:
                self.fs.rm_file(path)
            except FileNotFoundError:
                pass


def _claim_of(raw: dict[str, Any], name: str, root: str) -> Claim:
    """A claim as any version writes it: what an older one lacks is unknown, what a newer one adds is not read.

    Args:
        root: The folder of the artifacts; old claims name whole paths.
    """
    old = [posixpath.relpath(path, root) for path in raw.get("paths", ())]
    return Claim(
        name,
        host=str(raw.get("host", "an unknown machine")),
        world=str(raw.get("world", "")),
        process=int(raw.get("process", 0)),
        since_boot=float(raw["since_boot"]) if "since_boot" in raw else None,
        command=str(raw.get("command", "of another version")),
        since=float(raw.get("since", 0.0)),
        beat=float(raw.get("beat", time.time())),
        held=bool(raw.get("held", True)),
        writes=tuple(map(str, raw.get("writes", old))),
        reads=tuple(map(str, raw.get("reads", ()))),
    )


def _world() -> str:
    """Where a process id of this process's world means something: this start of this machine, and this container.

    Two machines, and two containers of one, may go by the same name; two containers also have the same processes' ids.
    """
    if not Path("/proc/self/ns").exists():
        return f"{socket.gethostname()} {uuid.getnode():x}"  # a system without it has no such containers
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""
