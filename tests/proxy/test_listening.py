from pathlib import Path

import pytest

from proxy.listening import is_local_origin, is_loopback, is_open, why_not_to_listen
from tests.proxy.config_files import LEAST, Write


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("x", False),
        ("", False),
        ("::", False),
        ("0.0.0.0", False),
        ("localhost.example.com", False),
    ],
)
def test_is_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("text", "opened", "refused"),
    [
        ("", False, False),
        ("server: {host: 0.0.0.0}", True, True),
        ("server: {uds: t.sock, uds_access: everyone}", False, False),
        ("server: {host: '::'}", True, True),
        ("server: {host: 0.0.0.0, allow_open: true}", True, False),
        # also with no key left: that lets nobody in
        ("server: {host: 0.0.0.0}\naccess: {keys: {}}", False, False),
    ],
)
def test_other_addresses_need_keys_or_a_plain_word(
    tmp_path: Path, text: str, opened: bool, refused: bool
) -> None:
    config = Write(tmp_path / "config.yaml").config(LEAST + text)
    assert is_open(config) is opened
    assert (why_not_to_listen(config) is not None) is refused


def test_the_refusal_names_the_ways_out(tmp_path: Path) -> None:
    config = Write(tmp_path / "config.yaml").config(LEAST + "server: {host: 0.0.0.0}")
    why = why_not_to_listen(config)
    assert why is not None
    for words in ("0.0.0.0", "tersely keys create", "127.0.0.1", "--allow-open", "allow_open"):
        assert words in why


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://localhost:3000", True),
        ("https://127.0.0.1", True),
        ("http://[::1]:5173", True),
        ("null", False),
        ("", False),
        ("http://[", False),
        ("https://localhost.example.com", False),
        ("https://example.com/localhost", False),
    ],
)
def test_is_local_origin(origin: str, expected: bool) -> None:
    assert is_local_origin(origin) is expected
