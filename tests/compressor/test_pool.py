import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from functools import partial
from threading import Event, Lock

import pytest

from compressor.pool import Batcher, Job, Overloaded, Piece, PoolClosed, WindowPool, usable_cores


class Stage:
    """Runs named windows on one worker, held back until `open`; `order` is how they ran."""

    def __init__(self, pool: WindowPool) -> None:
        self.pool = pool
        self.order: list[str] = []
        self._gate = Event()
        self._entered = Event()
        self._lock = Lock()
        self.blocker = pool.submit([Piece(0, self._hold)])
        assert self._entered.wait(5)

    def _hold(self) -> str:
        self._entered.set()
        assert self._gate.wait(5)
        return "held"

    def window(self, name: str) -> str:
        with self._lock:
            self.order.append(name)
        return name

    def pieces(self, name: str, count: int, tokens: int = 1) -> list[Piece[str]]:
        return [Piece(tokens, partial(self.window, f"{name}{i}")) for i in range(count)]

    def open(self) -> None:
        self._gate.set()


@pytest.fixture
def pool() -> Iterator[WindowPool]:
    pool = WindowPool(workers=1, max_queued_tokens=100)
    yield pool
    pool.close()


@pytest.fixture
def stage(pool: WindowPool) -> Iterator[Stage]:
    stage = Stage(pool)
    yield stage
    stage.open()


def test_outputs_come_in_window_order_on_many_workers() -> None:
    pool = WindowPool(workers=4)
    try:
        jobs = [
            pool.submit([Piece(1, partial(pow, i, 2)) for i in range(base, base + 20)])
            for base in range(10)
        ]
        for base, job in enumerate(jobs):
            assert job.future.result(5) == [i * i for i in range(base, base + 20)]
    finally:
        pool.close()


def test_a_job_without_windows_is_done_at_once(pool: WindowPool) -> None:
    assert pool.submit([]).future.result(0) == []


def test_windows_of_long_texts_alternate(stage: Stage) -> None:
    jobs = [stage.pool.submit(stage.pieces(name, 10)) for name in "ab"]
    stage.open()
    for job in jobs:
        job.future.result(5)
    order = "".join(name[0] for name in stage.order)
    leads = [order[:ran].count("a") - order[:ran].count("b") for ran in range(len(order))]
    assert max(leads) <= 2
    assert min(leads) >= -2
    assert len(order) == 20


def test_a_short_text_waits_for_neither_a_long_one_nor_a_crowd(stage: Stage) -> None:
    crowd = [stage.pool.submit(stage.pieces(name, 8)) for name in "abcdefgh"]
    shorts: list[str] = []

    def then_a_short_one() -> str:
        # Submitted while every one of the crowd has begun.
        stage.pool.submit(stage.pieces("short", 1)).future.add_done_callback(
            lambda done: shorts.extend(done.result())
        )
        return stage.window("last of the first round")

    stage.pool.submit([Piece(1, then_a_short_one)])
    stage.open()
    for job in crowd:
        job.future.result(5)
    asked = stage.order.index("last of the first round")
    assert stage.order.index("short0") - asked <= 2
    assert shorts == ["short0"]


def test_newcomers_do_not_stop_the_others(stage: Stage) -> None:
    long = stage.pool.submit(stage.pieces("long", 6))
    newcomers = [stage.pool.submit(stage.pieces(f"new{i}-", 1)) for i in range(30)]
    stage.open()
    for job in (long, *newcomers):
        job.future.result(5)
    assert stage.order.index("long5") <= 11


def test_more_tokens_than_the_bound_are_refused_and_room_comes_back(stage: Stage) -> None:
    job = stage.pool.submit(stage.pieces("a", 2, tokens=50))
    with pytest.raises(Overloaded, match="max_queued_tokens"):
        stage.pool.submit(stage.pieces("b", 1, tokens=1))
    stage.open()
    job.future.result(5)
    assert stage.pool.queued_tokens == 0
    assert stage.pool.submit(stage.pieces("c", 1, tokens=100)).future.result(5) == ["c0"]


def test_a_cancelled_job_gives_its_room_back_and_runs_no_more(stage: Stage) -> None:
    job = stage.pool.submit(stage.pieces("a", 3, tokens=20))
    after = stage.pool.submit(stage.pieces("b", 2, tokens=20))
    assert job.future.cancel()
    assert stage.pool.queued_tokens == 40
    stage.open()
    assert after.future.result(5) == ["b0", "b1"]
    assert stage.order == ["b0", "b1"]
    with pytest.raises(CancelledError):
        job.future.result(0)


def test_a_failing_window_fails_its_own_job_alone(stage: Stage) -> None:
    def fail() -> str:
        raise ZeroDivisionError("broken window")

    pieces = stage.pieces("bad", 3)
    bad = stage.pool.submit([pieces[0], Piece(1, fail), pieces[2]])
    good = stage.pool.submit(stage.pieces("good", 4))
    stage.open()
    with pytest.raises(ZeroDivisionError, match="broken window"):
        bad.future.result(5)
    assert good.future.result(5) == ["good0", "good1", "good2", "good3"]
    assert "bad2" not in stage.order
    assert stage.pool.queued_tokens == 0


def test_two_windows_of_one_job_failing_at_once_fail_it_once() -> None:
    pool = WindowPool(workers=2)
    meet = threading.Barrier(2, timeout=5)

    def fail() -> None:
        meet.wait()
        raise ZeroDivisionError

    try:
        for _ in range(20):
            with pytest.raises(ZeroDivisionError):
                pool.submit([Piece(1, fail), Piece(1, fail)]).future.result(5)
    finally:
        pool.close()


def test_all_workers_run_at_once() -> None:
    pool = WindowPool(workers=3)
    meet = threading.Barrier(3, timeout=5)
    try:
        assert len(pool.submit([Piece(1, meet.wait)] * 3).future.result(5)) == 3
    finally:
        pool.close()


def test_close_fails_what_waits_and_ends_the_threads() -> None:
    before = set(threading.enumerate())
    pool = WindowPool(workers=1)
    stage = Stage(pool)
    waiting = pool.submit(stage.pieces("a", 3))
    closing = threading.Thread(target=pool.close)
    closing.start()
    with pytest.raises(PoolClosed):
        waiting.future.result(5)
    stage.open()
    closing.join(5)
    assert set(threading.enumerate()) <= before
    assert stage.order == []
    with pytest.raises(PoolClosed):
        pool.submit(stage.pieces("b", 1))
    pool.close()


def test_queue_and_run_times_are_told_apart(stage: Stage) -> None:
    job = stage.pool.submit(stage.pieces("a", 2))
    stage.open()
    job.future.result(5)
    assert job.queue_ms > 0
    assert job.run_ms >= 0


def test_no_workers_means_one_per_usable_core() -> None:
    assert WindowPool().workers == usable_cores() >= 1
    make: Callable[[int], WindowPool] = WindowPool
    assert make(3).workers == 3


class BatchStage(Stage):
    """Runs named windows in batches of at most 4 tokens; `batches` is what ran together."""

    def __init__(self, pool: WindowPool) -> None:
        super().__init__(pool)
        self.batches: list[list[str]] = []
        self.batcher = Batcher(4, self.together)

    def together(self, names: Sequence[str]) -> list[str]:
        self.batches.append(list(names))
        return [name.upper() for name in names]

    def submit(self, name: str, count: int, tokens: int = 1) -> Job[str]:
        pieces = [
            Piece(tokens, partial(self.window, f"{name}{i}"), self.batcher, f"{name}{i}")
            for i in range(count)
        ]
        return self.pool.submit(pieces)


@pytest.fixture
def batch_stage(pool: WindowPool) -> Iterator[BatchStage]:
    stage = BatchStage(pool)
    yield stage
    stage.open()


def test_what_waits_goes_together_up_to_the_budget(batch_stage: BatchStage) -> None:
    a, b, c = batch_stage.submit("a", 3), batch_stage.submit("b", 2), batch_stage.submit("c", 1, 3)
    batch_stage.open()
    assert a.future.result(5) == ["A0", "A1", "A2"]
    assert b.future.result(5) == ["B0", "B1"]
    assert c.future.result(5) in (["C0"], ["c0"])
    assert all(len(names) > 1 for names in batch_stage.batches)
    ran = [name for names in batch_stage.batches for name in names] + batch_stage.order
    assert sorted(ran) == ["a0", "a1", "a2", "b0", "b1", "c0"]
    assert batch_stage.pool.queued_tokens == 0
    assert min(job.run_ms for job in (a, b, c)) >= 0


def test_a_window_alone_or_over_the_budget_needs_no_batch(batch_stage: BatchStage) -> None:
    job = batch_stage.submit("big", 2, 9)
    batch_stage.open()
    assert job.future.result(5) == ["big0", "big1"]
    assert not batch_stage.batches


def test_windows_without_the_batcher_stay_out_of_it(batch_stage: BatchStage) -> None:
    batched = batch_stage.submit("a", 4)
    plain = batch_stage.pool.submit(batch_stage.pieces("p", 3))
    batch_stage.open()
    assert plain.future.result(5) == ["p0", "p1", "p2"]
    assert len(batched.future.result(5)) == 4
    assert not any(name.startswith("p") for names in batch_stage.batches for name in names)


def test_a_batch_that_fails_fails_those_in_it(batch_stage: BatchStage) -> None:
    def fail(names: Sequence[str]) -> list[str]:
        raise ZeroDivisionError("broken batch")

    broken = Batcher(10, fail)
    pieces = [Piece(1, partial(str, i), broken, i) for i in range(2)]
    bad, worse = batch_stage.pool.submit(pieces), batch_stage.pool.submit(pieces)
    good = batch_stage.submit("good", 2)
    batch_stage.open()
    for job in (bad, worse):
        with pytest.raises(ZeroDivisionError, match="broken batch"):
            job.future.result(5)
    assert good.future.result(5) == ["GOOD0", "GOOD1"]
    assert batch_stage.pool.queued_tokens == 0


def test_a_cancelled_job_leaves_its_batch(batch_stage: BatchStage) -> None:
    gone, stays = batch_stage.submit("gone", 2), batch_stage.submit("stays", 2)
    gone.future.cancel()
    batch_stage.open()
    assert stays.future.result(5) == ["STAYS0", "STAYS1"]
    assert batch_stage.batches == [["stays0", "stays1"]]
