"""The server's side of one worker process: started, written to, listened to, and started again when it has died."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import playground
from playground.lab import framing

log = logging.getLogger(__name__)

ROOT = Path(playground.__file__).parent.parent
PATIENCE = 5.0  # seconds: a worker that dies younger than this is not started again more than ``TRIES`` times
TRIES = 3


class Hand:
    """One worker.

    Args:
        heard: gets each message of it, in a thread of its own.
        died: is called when the process has ended unasked, before it is started again.
    """

    def __init__(self, heard: Callable[[dict[str, Any], dict[str, bytes]], None], died: Callable[[Hand], None]) -> None:
        self.heard, self.died = heard, died
        self.closing, self.failures = False, 0
        self._writing = threading.Lock()
        self._process = self._started()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def broken(self) -> bool:
        """Whether it has died so often, so young, that it is given up."""
        return self.failures >= TRIES

    def send(self, header: Mapping[str, Any]) -> None:
        """Write one message; to a worker that has just died nothing is written, its death is told otherwise."""
        with self._writing:
            try:
                assert self._process.stdin is not None
                framing.write(self._process.stdin, header)  # type: ignore[arg-type]
            except (OSError, ValueError):  # ValueError: closed
                log.info("a worker is gone")

    def end(self) -> None:
        """Its input ends, and so it does, soon."""
        self.closing = True
        with self._writing:
            assert self._process.stdin is not None
            try:
                self._process.stdin.close()
            except OSError:
                log.info("a worker was gone already")

    def close(self) -> None:
        """End it, and wait for that."""
        self.end()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        own = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "playground.lab.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **own},
        )
        threading.Thread(target=self._listen, args=(process,), name="laboratory worker", daemon=True).start()
        return process

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        begun = time.monotonic()
        assert process.stdout is not None and process.stdin is not None
        while (message := framing.read(process.stdout)) is not None:  # type: ignore[arg-type]
            self.heard(*message)
        process.stdout.close()
        if self.closing:
            return
        process.wait()
        log.error("a worker of the laboratory ended with code %s", process.returncode)
        self.failures = self.failures + 1 if time.monotonic() - begun < PATIENCE else 0
        with self._writing:
            try:
                process.stdin.close()
            except OSError:
                log.info("its input was not read to the end")
            if not self.broken:
                self._process = self._started()
        self.died(self)
