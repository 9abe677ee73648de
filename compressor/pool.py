"""Runs classifier windows on the cores, one window to a call, fairly between texts."""

import os
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, Generic, TypeVar

_Output = TypeVar("_Output")


class Overloaded(Exception):
    """So much is waiting for the classifier that it takes no more."""


class PoolClosed(Exception):
    """The pool was closed before the work was done."""


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Piece(Generic[_Output]):
    """One window: its classifier tokens, and the call that runs it."""

    tokens: int
    run: Callable[[], _Output]


class Job(Generic[_Output]):
    """One text's windows in the pool.

    `future` holds the outputs in window order; cancelling it drops the windows that have not begun.
    """

    def __init__(self, pieces: Sequence[Piece[_Output]]) -> None:
        self.future: Future[list[_Output]] = Future()
        self._waiting = deque(enumerate(pieces))
        self._outputs: dict[int, _Output] = {}
        self._unfinished = len(pieces)
        self._submitted = time.perf_counter()
        self._started: float | None = None
        self._ended = self._submitted

    @property
    def queue_ms(self) -> float:
        """Milliseconds from submission to the first window's start."""
        return 0.0 if self._started is None else (self._started - self._submitted) * 1000

    @property
    def run_ms(self) -> float:
        """Milliseconds from the first window's start to the last one's end."""
        return 0.0 if self._started is None else (self._ended - self._started) * 1000

    # The pool calls the rest: take, drop and count with its lock held, run and settle without.

    def has_waiting(self) -> bool:
        """Whether a window has not begun."""
        return bool(self._waiting)

    def take(self) -> tuple[int, Piece[_Output]]:
        """Remove and return the next window and its index."""
        return self._waiting.popleft()

    def drop(self) -> int:
        """Remove every window that has not begun; return their classifier tokens."""
        tokens = sum(piece.tokens for _, piece in self._waiting)
        self._waiting.clear()
        return tokens

    def run(self, index: int, piece: Piece[_Output]) -> None:
        """Run one window in the calling thread."""
        if self._started is None:
            self._started = time.perf_counter()
        self._outputs[index] = piece.run()

    def count_done(self) -> bool:
        """Count one finished window; whether it was the last."""
        self._unfinished -= 1
        return self._unfinished == 0

    def settle(self, error: BaseException | None = None) -> None:
        """Fulfil the future, once, unless the caller has given up."""
        self._ended = time.perf_counter()
        if not self.future.set_running_or_notify_cancel():
            return
        if error is None:
            self.future.set_result([self._outputs[index] for index in sorted(self._outputs)])
        else:
            self.future.set_exception(error)


class _Turn:
    """One worker's turn: takes whichever window is next by then, and remembers whose it was."""

    def __init__(self, take: Callable[[], tuple[Job[Any], int, Piece[Any]] | None]) -> None:
        self._take = take
        self.job: Job[Any] | None = None

    def __call__(self) -> None:
        taken = self._take()
        if taken is not None:
            self.job, index, piece = taken
            self.job.run(index, piece)


class WindowPool:
    """One thread per worker; 0 workers means one per usable core.

    Windows of different jobs take turns. Every second turn goes to a job that has had none yet, so
    a short text waits for neither the rest of a long one nor a crowd of them, and newcomers never
    stop the others. Threads start with the first job.
    """

    def __init__(self, workers: int = 0, max_queued_tokens: int = 400_000) -> None:
        self.workers = workers or usable_cores()
        self.max_queued_tokens = max_queued_tokens
        self._executor = ThreadPoolExecutor(self.workers, thread_name_prefix="tersely-window")
        self._lock = Lock()
        self._fresh: deque[Job[Any]] = deque()
        self._begun: deque[Job[Any]] = deque()
        self._unsettled: set[Job[Any]] = set()
        self._queued_tokens = 0
        self._last_was_fresh = False
        self._closed = False

    @property
    def queued_tokens(self) -> int:
        """Classifier tokens in windows that have not begun."""
        return self._queued_tokens

    def submit(self, pieces: Sequence[Piece[_Output]]) -> Job[_Output]:
        """Queue one text's windows; the job's future fulfils when all are done.

        A window that raises fails its own job and no other. Raises Overloaded when the windows
        would not fit under the bound, PoolClosed after `close`.
        """
        job = Job(pieces)
        if not pieces:
            job.settle()
            return job
        tokens = sum(piece.tokens for piece in pieces)
        with self._lock:
            if self._closed:
                raise PoolClosed("the compressor is closed")
            if self._queued_tokens + tokens > self.max_queued_tokens:
                raise Overloaded(
                    f"{self._queued_tokens} classifier tokens wait already and this text adds "
                    f"{tokens}; the limit (max_queued_tokens) is {self.max_queued_tokens}"
                )
            self._queued_tokens += tokens
            self._fresh.append(job)
            self._unsettled.add(job)
        # Weak, or every job would be a cycle that holds its outputs and the pool until collected.
        job.future.add_done_callback(partial(self._forget, weakref.ref(job)))
        try:
            for _ in pieces:
                turn = _Turn(self._take)
                self._executor.submit(turn).add_done_callback(partial(self._end, turn))
        except RuntimeError as error:  # closed meanwhile, or no thread to be had
            self._settle(job, PoolClosed(f"the classifier's threads take no work: {error}"))
        return job

    def close(self) -> None:
        """Fail the jobs that are not done, wait for the windows that run, end the threads."""
        with self._lock:
            self._closed = True
            abandoned = list(self._unsettled)
        for job in abandoned:
            self._settle(job, PoolClosed("the compressor was closed while this text waited"))
        self._executor.shutdown(cancel_futures=True)

    def _take(self) -> tuple[Job[Any], int, Piece[Any]] | None:
        with self._lock:
            while self._fresh or self._begun:
                fresh = bool(self._fresh) and not (self._last_was_fresh and self._begun)
                job = (self._fresh if fresh else self._begun).popleft()
                if not job.has_waiting():  # it failed or was cancelled
                    continue
                self._last_was_fresh = fresh
                index, piece = job.take()
                self._queued_tokens -= piece.tokens
                if job.has_waiting():
                    self._begun.append(job)
                return job, index, piece
        return None

    def _end(self, turn: _Turn, ended: Future[None]) -> None:
        job = turn.job
        if job is None:
            return
        error = ended.exception()
        if error is not None:
            self._settle(job, error)
            return
        with self._lock:
            last = job.count_done()
        if last:
            self._settle(job)

    def _settle(self, job: Job[Any], error: BaseException | None = None) -> None:
        with self._lock:
            first = job in self._unsettled
            self._unsettled.discard(job)
        if first:
            job.settle(error)

    def _forget(self, of: weakref.ref[Job[Any]], _: Future[Any]) -> None:
        job = of()
        if job is not None:
            with self._lock:
                self._unsettled.discard(job)
                self._queued_tokens -= job.drop()
