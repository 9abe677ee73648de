from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from proxy.config import Config
from proxy.config_problems import settings
from proxy.config_reference import main, presets_table, reference

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def every_setting(model: type[BaseModel]) -> Iterator[tuple[str, str | None]]:
    for name, setting in settings(model).items():
        if setting.block is None:
            yield name, setting.field.description
        else:
            yield from every_setting(setting.block)


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == reference(), "run `make docs`"


@pytest.mark.parametrize(("name", "description"), sorted(set(every_setting(Config))))
def test_every_setting_is_explained(name: str, description: str | None) -> None:
    assert description
    assert description.endswith(".")
    assert f"| `{name}` |" in reference()
    assert description in reference()


def test_what_load_fills_in_is_not_offered() -> None:
    assert "| `api_key` |" not in reference()
    assert "| `encryption_key` |" not in reference()
    assert reference().count("| `name` |") == 1  # of a share of a route, not of a policy


@pytest.mark.parametrize(
    "row",
    [
        "| `port` | whole number, at least 0, at most 65,535 | `8400` |",
        "| `mode` | `off`, `shadow`, `on` | `on` |",
        "| `rate` | number, above 0, at most 1 | none |",
        "| `roles` | list of `system`, `user`, `assistant`, `tool` | `user`, `tool` |",
        "| `weight` | whole number, at least 1, at most 1,000,000 | none |",
        "| `log` | `true` or `false` | `true` |",
        "| `context_windows` | text: whole number | none |",
        "| `backend` | `auto`, `onnx`, `torch` | `auto` |",
        "| `as_of` | date | required |",
    ],
)
def test_values_and_defaults(row: str) -> None:
    assert row in reference()


def test_the_presets_table() -> None:
    assert "| `rag` | system, user, tool | rate 0.5 | 200 | Also compresses" in presets_table()
    assert "| `off` | - | nothing | - | Leaves everything alone" in presets_table()


class TestMain:
    def test_it_prints(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([]) == 0
        assert capsys.readouterr().out == reference()

    def test_it_writes_and_checks(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        page = tmp_path / "configuration.md"
        assert main(["--check", str(page)]) == 1
        assert main([str(page)]) == 0
        assert main(["--check", str(page)]) == 0
        page.write_text("old")
        assert main(["--check", str(page)]) == 1
        assert "is stale: run `make docs`" in capsys.readouterr().err
