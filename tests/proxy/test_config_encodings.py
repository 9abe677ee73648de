"""A tokenizer that cannot be had is said at start, with its line."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models

from proxy.config import ConfigError, load

BASE = """upstreams:
  a: {base_url: "http://127.0.0.1:1/v1"}
routes:
  - {policy: balanced, upstream: a}
compressor:
  encodings:
    "acme-*": %s
"""


def config(tmp_path: Path, encoding: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(BASE % encoding)
    return path


@pytest.mark.parametrize(
    ("encoding", "said"), [("p50k", "use o200k_base"), ("/absent/t.json", "no such file")]
)
def test_an_encoding_that_cannot_be_had(tmp_path: Path, encoding: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        load(config(tmp_path, encoding), {})
    assert caught.value.problems[0].place.line in (6, 7)


def test_a_file_that_is_no_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('{"model": {}}')
    with pytest.raises(ConfigError, match="is not a tokenizer file"):
        load(config(tmp_path, str(tmp_path / "t.json")), {})


def test_an_encoding_that_can(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({"one": 0, "?": 1}, unk_token="?"))
    tokenizer.save(str(tmp_path / "t.json"))
    for encoding in ("cl100k_base", str(tmp_path / "t.json")):
        loaded = load(config(tmp_path, encoding), {})
        assert loaded.compressor.encodings["acme-*"] == encoding
