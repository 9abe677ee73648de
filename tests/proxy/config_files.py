"""Config files to test with."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from proxy.config import Config, ConfigError, load

LEAST = """\
upstreams:
  openai: {base_url: https://api.openai.com/v1}
routes:
  - {policy: balanced, upstream: openai}
"""
# what cryptography takes: 32 bytes in URL-safe base64
FERNET_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


class Write:
    """Writes a config file and loads it, or returns what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def config(self, text: str, environ: Mapping[str, str] | None = None) -> Config:
        self.path.write_text(text, "utf-8")
        return load(self.path, environ or {})

    def problems(self, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            self.config(text, environ)
        prefix = f"{self.path}:"
        lines = str(caught.value).splitlines()
        assert all(line.startswith(prefix) for line in lines)
        return [line.removeprefix(prefix) for line in lines]
