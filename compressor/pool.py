"""Runs classifier windows on the cores, one window to a call, fairly between texts.

On a GPU, where a call costs much and a window little, windows that wait go into one call together,
up to a budget of tokens; nothing waits for a batch to fill.
"""

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
class Batcher(Generic[_Output]):
    """Runs the windows of several pieces in one call: `run` takes their `argument`s.

    `tokens` is how many classifier tokens go into one call at most.
    """

    tokens: int
    run: Callable[[Sequence[Any]], Sequence[_Output]]


@dataclass(frozen=True, slots=True)
class Piece(Generic[_Output]):
    """One window: its classifier tokens, and the call that runs it.

    Pieces with the same `batcher` may be run by it together instead.
    """

    tokens: int
    run: Callable[[], _Output]
    batcher: Batcher[_Output] | None = None
    argument: object = None


class Job(Generic[_Output]):
    """One text's windows in the pool.

    `future` holds the outputs in window order; cancelling it drops the windows that have not begun.
    """

    def __init__(self, pieces: Sequence[Piece[_Output]]) -> None:
        self.future: Future[list[_Output]] = Future()
        self._waiting = deque(enumerate(pieces))
        self._outputs: dict[int, _Output] = {}
        self._total = self._unfinished = len(pieces)
        self._submitted = time.perf_counter()
        self._started: float | None = None
        self._ended = self._submitted

    @property
    def progress(self) -> tuple[int, int]:
        """How many windows are done, and how many there are."""
        return self._total - self._unfinished, self._total

    @property
    def queue_ms(self) -> float:
        """Milliseconds from submission to the first window's start."""
        return 0.0 if self._started is None else (self._started - self._submitted) * 1000

    @property
    def run_ms(self) -> float:
        """Milliseconds from the first window's start to the last one's end."""
        return 0.0 if self._started is None else (self._ended - self._started) * 1000

    # The pool calls the rest: what waits, take, drop and count with its lock held, others without.

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

    def next_fits(self, batcher: Batcher[Any], tokens: int) -> bool:
        """Whether the next window is of this batcher and has at most so many tokens."""
        if not self._waiting:
            return False
        _, piece = self._waiting[0]
        return piece.batcher is batcher and piece.tokens <= tokens

    def begin(self) -> None:
        """Note that a window of it starts now."""
        if self._started is None:
            self._started = time.perf_counter()

    def store(self, index: int, output: _Output) -> None:
        """Keep one window's output."""
        self._outputs[index] = output

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


_Taken = tuple[Job[Any], int, Piece[Any]]


class _Turn:
    """One worker's turn: takes whichever windows are next by then, and remembers whose they were.

    Several only where they have a batcher in common.
    """

    def __init__(self, take: Callable[[], list[_Taken]]) -> None:
        self._take = take
        self.jobs: list[Job[Any]] = []

    def __call__(self) -> None:
        taken = self._take()
        self.jobs = [job for job, _, _ in taken]
        for job in self.jobs:
            job.begin()
        if len(taken) == 1:
            [(job, index, piece)] = taken
            job.store(index, piece.run())
        elif taken:
            batcher = taken[0][2].batcher
            assert batcher is not None  # noqa: S101 - or there would be one piece
            outputs = batcher.run([piece.argument for _, _, piece in taken])
            for (job, index, _), output in zip(taken, outputs, strict=True):
                job.store(index, output)


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

        A window that raises fails its own job, and those it shared a call with. Raises Overloaded
        when the windows would not fit under the bound, PoolClosed after `close`.
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

    def _take(self) -> list[_Taken]:
        with self._lock:
            taken = self._take_next()
            if taken is None:
                return []
            batch = [taken]
            batcher = taken[2].batcher
            if batcher is not None:
                left = batcher.tokens - taken[2].tokens
                while (more := self._take_next(batcher, left)) is not None:
                    batch.append(more)
                    left -= more[2].tokens
            return batch

    def _take_next(self, batcher: Batcher[Any] | None = None, tokens: int = 0) -> _Taken | None:
        """Take the next window; with a `batcher` only one that fits in its batch."""
        while self._fresh or self._begun:
            fresh = bool(self._fresh) and not (self._last_was_fresh and self._begun)
            queue = self._fresh if fresh else self._begun
            job = queue[0]
            if not job.has_waiting():  # it failed or was cancelled
                queue.popleft()
                continue
            if batcher is not None and not job.next_fits(batcher, tokens):
                return None
            queue.popleft()
            self._last_was_fresh = fresh
            index, piece = job.take()
            self._queued_tokens -= piece.tokens
            if job.has_waiting():
                self._begun.append(job)
            return job, index, piece
        return None

    def _end(self, turn: _Turn, ended: Future[None]) -> None:
        if ended.cancelled():
            return  # by `close`, which has failed its jobs
        error = ended.exception()
        if error is not None:
            for job in turn.jobs:
                self._settle(job, error)
            return
        with self._lock:
            done = [job for job in turn.jobs if job.count_done()]
        for job in done:
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
