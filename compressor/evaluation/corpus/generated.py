"""Texts made up from a seed: what prompts hold besides prose, with known things in it to keep."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from compressor.evaluation.corpus.phrases import FILLERS, MONTHS, NUMBERS, QUOTES, SENTENCES


@dataclass(frozen=True, slots=True)
class Case:
    """A text with the strings in it that must be kept whatever the budget."""

    id: str
    domain: str
    text: str
    planted: tuple[str, ...] = ()


def generate(count: int, seed: int = 1) -> list[Case]:
    """Return `count` texts, of each kind in turn; the same seed gives the same texts."""
    cases = []
    for number in range(count):
        kind = list(_KINDS)[number % len(_KINDS)]
        writer = _Writer(Random(f"{seed}/{number}"))  # noqa: S311 - no secret
        text = _KINDS[kind](writer)
        cases.append(Case(f"{kind}-{number}", kind, text, tuple(dict.fromkeys(writer.planted))))
    return cases


@dataclass(slots=True)
class _Writer:
    """Draws values, and remembers those that have to be kept."""

    random: Random
    planted: list[str] = field(default_factory=list)

    def pick(self, options: tuple[str, ...]) -> str:
        return self.random.choice(options)

    def keep(self, text: str) -> str:
        self.planted.append(text)
        return text

    def hex(self, length: int) -> str:
        """Return hex digits, letters and decimal ones among them."""
        drawn = "".join(self.random.choice("0123456789abcdef") for _ in range(length - 2))
        return f"{drawn}{self.random.choice('abcdef')}{self.random.randrange(10)}"

    def uuid(self) -> str:
        return "-".join(self.hex(n) for n in (8, 4, 4, 4, 12))

    def version(self) -> str:
        a, b, c = (self.random.randrange(1, 30) for _ in range(3))
        return self.pick((f"v{a}.{b}.{c}", f"{a}.{b}.{c}", f"{a}.{b}.{c}-rc{b}"))

    def url(self) -> str:
        host = self.pick(("status.example.com", "git.example.org", "example.net:8443"))
        rest = self.pick((f"runs/{self.random.randrange(9999)}", f"a?id={self.hex(6)}&full=1#top"))
        return f"https://{host}/{rest}"

    def path(self) -> str:
        return self.pick(
            (
                f"/var/lib/export/{self.hex(4)}/out.log",
                f"./jobs/nightly_{self.random.randrange(99)}.yaml",
                f"src/importer/queue{self.random.randrange(9)}.py",
                f"~/runs/{self.hex(5)}/raw.csv",
            )
        )

    def email(self) -> str:
        return (
            f"{self.pick(('ops', 'a.lind', 'team+alerts'))}{self.random.randrange(99)}@example.org"
        )

    def code(self) -> str:
        n = self.random.randrange(9)
        return self.pick((f"`flush --all -n {n}`", f"`cache.write(x[{n}])`", f"`make -j{n} db`"))

    def values(self, lang: str) -> Mapping[str, Callable[[], str]]:
        """Return what the rooms of a sentence are filled with."""
        return {
            "email": lambda: self.keep(self.email()),
            "url": lambda: self.keep(self.url()),
            "path": lambda: self.keep(self.path()),
            "version": lambda: self.keep(self.version()),
            "hash": lambda: self.keep(self.hex(self.random.choice((7, 12, 40)))),
            "uuid": lambda: self.keep(self.uuid()),
            "code": lambda: self.keep(self.code()),
            "quote": lambda: self.pick(QUOTES[lang]),
            "date": lambda: self.keep(self.date(lang)),
            "number": lambda: self.pick(NUMBERS[lang]).format(n=self.random.randrange(2, 95)),
        }

    def date(self, lang: str) -> str:
        d, m, y = (self.random.randrange(*r) for r in ((10, 29), (1, 10), (1990, 2027)))
        return self.pick(MONTHS[lang]).format(d=d, m=m, y=y)

    def sentence(self, lang: str = "en") -> str:
        template = self.pick(SENTENCES[lang])
        for name, value in self.values(lang).items():
            if "{" + name + "}" in template:
                template = template.replace("{" + name + "}", value())
        return template

    def prose(self, sentences: int, lang: str = "en") -> str:
        between = "" if lang in ("ja", "zh") else " "
        said = []
        for _ in range(sentences):
            said += [self.sentence(lang), self.pick(FILLERS[lang]), self.pick(FILLERS[lang])]
        return between.join(said)

    def clock(self) -> str:
        h, m, s = (self.random.randrange(n) for n in (24, 60, 60))
        return f"{h:02}:{m:02}:{s:02}"


def _languages(w: _Writer) -> str:
    lang = w.pick(tuple(SENTENCES))
    return "\n\n".join(w.prose(w.random.randrange(3, 7), lang) for _ in range(3))


def _log(w: _Writer) -> str:
    events = (
        "INFO worker: took the next job from the queue",
        "WARN store: the disk answers slowly, waiting before the next attempt",
        f"ERROR export: request {w.uuid()} failed: refused by 10.0.0.{w.random.randrange(99)}",
        f"INFO http: GET /api/runs/{w.random.randrange(999)} 200 in {w.random.randrange(90)} ms",
        "DEBUG cache: nothing to evict",
    )
    day = w.random.randrange(10, 29)
    lines = [f"2026-03-{day}T{w.clock()}Z {w.pick(events)}" for _ in range(40)]
    return f"{w.prose(2)}\n\n" + "\n".join(lines) + f"\n\n{w.prose(2)}"


def _json(w: _Writer) -> str:
    rows = [
        {
            "id": w.random.randrange(10**12),
            "key": w.uuid(),
            "ratio": w.random.random(),
            "large": int(w.hex(26), 16),
            "ok": w.pick(("a", "b")) == "a",
            "none": None,
            "tags": [w.hex(5), w.version()],
            "path": w.path(),
            "description": _Writer(w.random).prose(w.random.randrange(1, 9)),
        }
        for _ in range(w.random.randrange(1, 6))
    ]
    spaced = w.random.randrange(3)
    document = {"page": 1, "total": 1e5, "next": w.url(), "results": rows}
    return json.dumps(document, indent=spaced or None, ensure_ascii=bool(w.random.randrange(2)))


def _json_in_text(w: _Writer) -> str:
    return f"{w.prose(3)}\n\n{w.keep(_json(w))}\n\n{w.prose(3)}"


def _table(w: _Writer) -> str:
    edge = w.pick(("| ", ""))
    shut = " |" if edge else ""
    rows = [["run", "host", "took", "note"], ["---", ":--", "--:", "---"]]
    rows += [
        [w.hex(7), f"node-{n}", f"{w.random.randrange(90)} ms", w.pick(QUOTES["en"])]
        for n in range(w.random.randrange(2, 9))
    ]
    table = "\n".join(edge + " | ".join(row) + shut for row in rows)
    return f"{w.prose(3)}\n\n{w.keep(table)}\n\n{w.prose(3)}"


def _list(w: _Writer) -> str:
    mark = w.pick(("- ", "* ", "• ", "1. ", "- [ ] "))
    lines = []
    for number in range(1, w.random.randrange(4, 9)):
        own = f"{number}. " if mark == "1. " else mark
        lines.append(own + w.sentence())
        if not w.random.randrange(3):
            lines += [f"   {mark.strip()} {w.sentence()}" for _ in range(2) if mark != "1. "]
    return f"## What happened\n\n{w.prose(2)}\n\n" + "\n".join(lines) + f"\n\n{w.prose(2)}"


def _code(w: _Writer) -> str:
    name = w.pick(("flush", "read_all", "importRows"))
    python = (
        f"def {name}(rows, limit={w.random.randrange(99)}):\n    # not thread-safe\n"
        f"    for row in rows[:limit]:\n\n        if row.id != {w.random.randrange(9)}:\n"
        f'            yield row["{w.hex(4)}"]\n'
    )
    rust = f"fn {name}(n: u64) -> u64 {{\n    let k = n * {w.random.randrange(99)};\n    k\n}}\n"
    shell = f"$ {name} --force {w.path()}\n$ echo done && exit 0\n"
    block = w.pick((python, rust, shell))
    if w.random.randrange(2):
        fenced = w.keep(f"```{w.pick(('', 'py', 'text'))}\n{block}```")
        return f"{w.prose(3)}\n\n{fenced}\n\n{w.prose(3)}"
    indented = "\n".join("    " + line if line else line for line in block.splitlines())
    return f"{w.prose(3)}\n\n{w.keep(indented)}\n\n{w.prose(3)}"


def _mail(w: _Writer) -> str:
    lang = w.pick(("en", "de", "fr", "es"))
    head = (
        f"From: Ana Lind <{w.keep(w.email())}>\nTo: {w.keep(w.email())}\n"
        f"Date: Tue, 14 Apr 2026 {w.clock()} +0200\nSubject: {w.pick(QUOTES[lang])}\n"
    )
    quoted = "\n".join("> " + w.sentence(lang) for _ in range(3))
    signed = f"-- \nAna Lind\n{w.keep(w.url())}"
    return f"{head}\n{w.prose(4, lang)}\n\n{quoted}\n\n{w.prose(3, lang)}\n\n{signed}"


def _diff(w: _Writer) -> str:
    path, a, b = w.path().lstrip("./~"), w.hex(7), w.hex(7)
    diff = (
        f"diff --git a/{path} b/{path}\nindex {a}..{b} 100644\n--- a/{path}\n+++ b/{path}\n"
        f"@@ -1,4 +1,4 @@ def run():\n     timeout = {w.random.randrange(99)}\n"
        f"-    retry(never=True)\n+    retry(times={w.random.randrange(9)})\n \n     return None"
    )
    return f"{w.prose(3)}\n\n{w.keep(diff)}\n\n{w.prose(3)}"


def _trace(w: _Writer) -> str:
    trace = (
        "Traceback (most recent call last):\n"
        f'  File "{w.path()}", line {w.random.randrange(99)}, in run\n'
        f"    value = rows[\"{w.hex(4)}\"]\nKeyError: '{w.hex(4)}'"
    )
    return f"{w.prose(3)}\n\n{w.keep(trace)}\n\n{w.prose(3)}"


_KINDS: Mapping[str, Callable[[_Writer], str]] = {
    "languages": _languages,
    "log": _log,
    "json": _json,
    "json in text": _json_in_text,
    "table": _table,
    "list": _list,
    "code": _code,
    "mail": _mail,
    "diff": _diff,
    "trace": _trace,
}


def prose_in_json(seed: int, count: int) -> Iterator[Case]:
    """Yield whole JSON documents, whose long strings may be shortened."""
    for number in range(count):
        writer = _Writer(Random(f"json/{seed}/{number}"))  # noqa: S311 - no secret
        yield Case(f"json-prose-{number}", "json prose", _json(writer))
