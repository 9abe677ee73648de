"""Logs: whole repeated lines go before any words do, whatever stamp the lines begin with."""

import re

import numpy as np
import pytest

from compressor.extract import extract
from compressor.protect import find_protected
from compressor.repetition import repeated_lines
from compressor.tokens import load_counter
from compressor.types import CompressionResult, Settings
from compressor.words import split_words

COUNTER = load_counter("o200k_base")

LOG = "\n".join(
    [
        "2026-11-28 10:00:00 INFO starting worker pool",
        *(f"2026-11-28 10:00:{i:02d} INFO heartbeat {i} from node-7" for i in range(1, 30)),
        "2026-11-28 10:00:31 ERROR connection to db-3 lost: timeout",
        *(f"2026-11-28 10:01:{i:02d} INFO heartbeat {i} from node-7" for i in range(1, 30)),
        "2026-11-28 10:02:00 WARNING retrying in 5 s",
        "2026-11-28 10:02:05 INFO connected again",
    ]
)
BRACKETED = re.sub(r"(?m)^(\S+ \S+)", r"[\1]", LOG)

# What twenty lines that say the same begin and end with.
FORMATS = {
    "date and time": "2025-11-29 12:00:{:02d} INFO Heartbeat ok",
    "ISO 8601": "2025-11-29T12:00:{:02d}Z INFO Heartbeat ok",
    "time": "12:00:{:02d} INFO Heartbeat ok",
    "Python's logging": "2025-11-29 12:00:{:02d},123 - app - INFO - Heartbeat ok",
    "syslog": "Nov 29 12:00:{:02d} host sshd[77]: Accepted key for deploy ssh2",
    "Python's logging, not set up": "INFO:root:heartbeat ok {}",
    "docker compose 1": "web_1  | answered in {} ms",
    "docker compose 2": "web-1  | answered in {} ms",
    "klog": "I0611 08:01:{:02d}.123456       1 main] Heartbeat ok",
    "logfmt": 'ts=2025-11-29T12:00:{:02d}Z level=info msg="Heartbeat is ok" size=7',
    "logfmt, level first": 'level=info ts=2025-11-29T12:00:{:02d}.123Z msg="Heartbeat is ok"',
    "logfmt, quoted time": 'time="2025-11-29T12:00:{:02d}Z" level=info msg="Heartbeat is ok"',
    "Android": "11-29 12:00:{:02d}.123  1234  1290 I Clock: Heartbeat ok",
    "Android, brief": "I/Clock   ( 1234): Heartbeat {} ok",
    "Apache's errors": "[Thu Mar 12 08:15:{:02d}.123456 2026] [core:error] [pid 4411] It is late",
    "access, IPv6": '2001:db8::17 - - [12/Mar/2026:08:14:{:02d} +0000] "GET up" 204 0',
    "access, by name": 'web-3.lan - ana [12/Mar/2026:08:14:{:02d} +0000] "GET up" 204 0',
    "docker build": "#5 0.{} Collecting the old flask",
    "Ansible": "ok: [web] => it is {} months old",
    "the kernel": "[   12.3456{:02d}] usb 1-1: the device does not accept it",
    "npm": "npm WARN deprecated it is {} months old",
    "a number at the end": "2025-11-29 12:00:{:02d} INFO closed port 5",
    "a month at the end": "12:00:{:02d} INFO closed the books of May",
    "a negation at the end": "2025-11-29 12:00:{:02d} INFO it was closed and opened never",
    "a mark for inches at the end": '12:00:{:02d} INFO the screen "is 19"',
}


def shorten(text: str, rate: float, *, seed: int = 0) -> CompressionResult:
    words = split_words(text)
    noise = np.random.default_rng(seed).uniform(0.05, 0.95, len(words)).astype(np.float32)
    return extract(text, words, noise, Settings(rate=rate), COUNTER)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_repeated_lines_go_whole_and_the_first_and_last_stay(name: str) -> None:
    lines = [FORMATS[name].format(i) for i in range(20)]
    result = shorten("\n".join(lines), 0.4)
    kept = result.text.split("\n")
    assert result.tokens_after <= 0.4 * result.tokens_before
    assert set(kept) <= set(lines)
    assert kept[0] == lines[0]
    assert kept[-1] == lines[-1]


@pytest.mark.parametrize("rate", [0.6, 0.3, 0.15])
@pytest.mark.parametrize("log", [LOG, BRACKETED], ids=["bare stamps", "stamps in brackets"])
def test_repeated_lines_go_first_and_trouble_last(log: str, rate: float) -> None:
    for seed in range(5):
        result = shorten(log, rate, seed=seed)
        assert (rate - 0.03) <= result.rate <= rate
        kept = result.text.split("\n")
        assert set(kept) <= set(log.split("\n"))  # whole lines, none cut
        for once in ("starting worker pool", "connected again", "heartbeat 1 from"):
            assert any(once in line for line in kept)
        for trouble in ("ERROR", "WARNING"):
            assert any(trouble in line for line in kept)


def test_lines_with_other_names_are_other_lines() -> None:
    log = "\n".join(
        f"2026-11-28 10:00:{i:02d} INFO closed /srv/{n}.log" for i, n in enumerate("abcdef")
    )
    assert repeated_lines(log, find_protected(log, Settings(rate=0.5))) == []


@pytest.mark.parametrize(
    "text",
    [
        "We paid 5\n- 3 for the boat\n- 2 for the oars",
        "It took 5\n* 100 people came",
        "The first was 4\n/3 of the rest",
    ],
)
def test_a_list_mark_on_the_next_line_joins_no_numbers(text: str) -> None:
    found = [text[s.start : s.end] for s in find_protected(text, Settings(rate=0.5))]
    assert not [piece for piece in found if "\n" in piece]


@pytest.mark.parametrize("whole", ["29\nNovember 2025", "12\nminutes", "5 to\n10 people"])
def test_a_number_stays_one_over_the_end_of_a_wrapped_line(whole: str) -> None:
    text = f"The committee met in the old harbour hall and agreed on {whole} for the rest of it."
    found = [text[s.start : s.end] for s in find_protected(text, Settings(rate=0.5))]
    assert whole in found


@pytest.mark.parametrize("seed", range(5))
def test_what_pytest_says_of_a_test_stays_or_goes_as_a_line(seed: int) -> None:
    report = "\n".join(
        [
            "=========== test session starts ===========",
            *(f"tests/harbour/test_{name}.py .F.x  [ 20%]" for name in ("pier", "quay", "dam")),
            *(f"tests/test_{name}.py::test_open PASSED  [ 60%]" for name in ("pier", "quay")),
            "======== short test summary info ========",
            " FAIL  src/user.test.js",
            "  ● loads the user of the page of the harbour",
            "FAILED tests/test_cart.py::test_total - assert forty == fifty",
            "ERROR tests/test_pier.py - ModuleNotFoundError: there is no module named harbour",
            "======= 1 failed, 2 passed in 0.05s =======",
        ]
    )
    result = shorten(report, 0.5, seed=seed)
    assert result.tokens_after < result.tokens_before
    assert set(result.text.split("\n")) <= set(report.split("\n"))


@pytest.mark.parametrize("rate", [0.6, 0.3])
def test_what_a_compiler_says_of_a_line_is_never_cut(rate: float) -> None:
    said = [
        f"main.c:{i}:5: warning: this value of ‘n’ is not used by any other line" for i in (7, 91)
    ]
    prose = (
        "We tried to build it again last night and did not get any further than the week before."
    )
    kept = shorten("\n".join([prose, *said, prose]), rate).text.split("\n")
    assert [line for line in kept if ":" in line] == said


@pytest.mark.parametrize("name", ["logfmt", "logfmt, quoted time", "Android"])
def test_lines_with_columns_or_keys_that_say_different_things_go_one_by_one(name: str) -> None:
    said = ("Pump opened", "Door was shut", "Lamp went out", "Boiler is warm", "Gate is up")
    lines = [FORMATS[name].format(i).replace("Heartbeat", s) for i, s in enumerate(said)]
    result = shorten("\n".join(lines), 0.5)
    assert result.tokens_after <= 0.5 * result.tokens_before
    assert set(result.text.split("\n")) <= set(lines)


@pytest.mark.parametrize("word", ["level=warn", "E Clock:"])
def test_trouble_goes_last_by_its_level_alone(word: str) -> None:
    usual, name = ("level=info", "logfmt") if "=" in word else ("I Clock:", "Android")
    lines = [FORMATS[name].format(i).replace("ok", "x" * (i + 1)) for i in range(12)]
    lines[5] = lines[5].replace(usual, word)
    for seed in range(5):
        assert lines[5] in shorten("\n".join(lines), 0.4, seed=seed).text.split("\n")
