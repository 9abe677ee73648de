from collections.abc import Iterator

import pytest

from compressor.evaluation.registry import Bench, workbench
from tests.compressor.evaluation.sets import HARBOUR, ORCHARD


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """What methods are built from, with the bundled classifier and a corpus of two texts."""
    with workbench("bundled", "o200k_base", None) as made:
        yield made.of([HARBOUR, ORCHARD])
