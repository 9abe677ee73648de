"""Asks for known vulnerabilities of the locked dependencies, with pip-audit.

Tells three answers apart, where pip-audit's exit status and its words know two: found (exit status
1), none found, and could not be asked. The last passes, in so many words, so that a machine without
a way to PyPI's advisories can build; it is no finding that there are none.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_TIMEOUT_SECONDS = 300


@dataclass
class Report:
    """What is known about the dependencies of all files together."""

    clean: set[str] = field(default_factory=set)
    vulnerable: dict[str, list[str]] = field(default_factory=dict)
    unasked: dict[str, str] = field(default_factory=dict)

    def add(self, dependencies: Sequence[dict[str, Any]]) -> None:
        """Take in the `dependencies` of pip-audit's JSON."""
        for found in dependencies:
            name = str(found["name"])
            if "skip_reason" in found:
                self.unasked[name] = str(found["skip_reason"])
            elif found.get("vulns"):
                version = found.get("version", "?")
                advisories = [_advisory(vulnerability) for vulnerability in found["vulns"]]
                self.vulnerable[f"{name} {version}"] = advisories
            else:
                self.clean.add(name)

    @property
    def status(self) -> int:
        """The exit status: 1 where something is vulnerable."""
        return 1 if self.vulnerable else 0

    def lines(self) -> list[str]:
        """Return the report for a person."""
        lines = [
            f"VULNERABLE: {name}: {'; '.join(found)}" for name, found in self.vulnerable.items()
        ]
        unasked = sorted(self.unasked.keys() - self.clean)
        if unasked and not self.clean and not self.vulnerable:
            reason = self.unasked[unasked[0]]
            lines.append(
                f"NOT AUDITED: no advisories could be had for any of {len(unasked)} dependencies "
                f"({reason}). This says nothing about them; audit where PyPI can be reached."
            )
        else:
            lines.append(f"{len(self.clean)} dependencies without known vulnerabilities.")
            if unasked:
                lines.append(f"NOT AUDITED: {', '.join(unasked)}")
        return lines


def _advisory(vulnerability: dict[str, Any]) -> str:
    fixed = ", ".join(vulnerability.get("fix_versions") or ()) or "no version yet"
    return f"{vulnerability.get('id', '?')} (fixed in {fixed})"


def audit(command: Sequence[str], path: Path) -> tuple[list[dict[str, Any]], str]:
    """Return what pip-audit found for a requirements file, or nothing and why."""
    options = ("--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off")
    try:
        done = subprocess.run(
            [*command, "--requirement", str(path), *options],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [], f"{type(error).__name__}: {error}"
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        return [], f"pip-audit ended with {done.returncode}: {last[0]}"
    return list(found), ""


def main(paths: Sequence[str], command: Sequence[str] = ("pip-audit",)) -> int:
    """Audit the files; print what is known and return the exit status."""
    report = Report()
    for path in paths:
        found, why = audit(command, Path(path))
        report.add(found)
        if why:
            report.unasked[path] = why
    print("\n".join(report.lines()))
    return report.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], (sys.executable, "-m", "pip_audit")))
