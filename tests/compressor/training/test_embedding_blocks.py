"""Embeddings in 4 bits: what was stored so once comes back without loss, nothing else goes in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressor.training.embedding_blocks import BLOCK, FourBits, in_four_bits


def stored_once(seed: int, rows: int = 6, width: int = 2 * BLOCK) -> np.ndarray:
    """Return rows as a file of 4-bit blocks has them: in each block one value is the lowest."""
    random = np.random.default_rng(seed)
    values = random.integers(-7, 8, (rows, width // BLOCK, BLOCK))
    values[..., 0] = -8
    random.permuted(values, axis=-1, out=values)
    scales = random.normal(size=(rows, width // BLOCK, 1)).astype(np.float16).astype(np.float32)
    return (values * scales).reshape(rows, width).astype(np.float32)


@given(st.integers(0, 10_000), st.sampled_from([64, 128, 384]))
def test_what_was_in_4_bits_comes_back_exactly(seed: int, width: int) -> None:
    rows = stored_once(seed, width=width)
    found = in_four_bits(rows)
    assert found is not None
    assert np.array_equal(found.rows(), rows)
    assert found.packed.nbytes + found.scales.nbytes == rows.nbytes * 0.140625  # 4.5 bits a value


def test_other_values_are_not_put_into_4_bits() -> None:
    rows = stored_once(1)
    rows[3, 5] += 1e-3
    assert in_four_bits(rows) is None
    assert in_four_bits(np.random.default_rng(0).normal(size=(4, 64)).astype(np.float32)) is None


@pytest.mark.parametrize("width", [32, 96, 48])
def test_a_width_that_is_not_two_halves_of_blocks_is_left_alone(width: int) -> None:
    assert in_four_bits(np.zeros((2, width), np.float32)) is None


@pytest.mark.parametrize("value", [0.0, 1e30, -1e-30])
def test_a_row_of_nothing_or_of_what_no_scale_can_hold(value: float) -> None:
    rows = np.full((2, 64), value, np.float32)
    found = in_four_bits(rows)
    assert (found is None) == (value != 0)


def test_a_byte_holds_a_value_of_each_half() -> None:
    packed = np.array([[0x80 + low for low in range(16)] * 2], np.uint8)
    rows = FourBits(packed, np.ones((1, 2), np.float16)).rows()
    assert rows[0, :16].tolist() == list(range(-8, 8))
    assert not rows[0, 32:].any()
