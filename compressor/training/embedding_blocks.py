"""Word embeddings in blocks of 32 values of 4 bits: a half of what 8 bits take.

The form of ggml's Q4_0 (https://github.com/ggml-org/ggml): a half-precision scale and 32 integers
from -8 to 7, of which the one for the largest value is -8. Embeddings that were once stored so and
have not been trained since are turned back into it without any loss; others are left alone.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 32
LOWEST = -8
_HIGHEST = 7


@dataclass(frozen=True, slots=True)
class FourBits:
    """Rows in 4 bits. `packed` is uint8 (rows, width / 2), `scales` float16 (rows, width / 32).

    A byte holds two values, each with 8 added: in its lower half one of the row's first half, in
    its upper half the one that is width / 2 places further on.
    """

    packed: NDArray[np.uint8]
    scales: NDArray[np.float16]

    def rows(self) -> NDArray[np.float32]:
        """Return the values: float32 (rows, width)."""
        values = np.concatenate([self.packed & 0x0F, self.packed >> 4], axis=1).astype(np.float32)
        scales = self.scales.astype(np.float32).repeat(BLOCK, axis=1)
        scaled: NDArray[np.float32] = (values + LOWEST) * scales
        return scaled


def in_four_bits(rows: NDArray[Any]) -> FourBits | None:
    """Return rows, float32 (rows, width), in 4 bits; None where not every value is met exactly."""
    count, width = rows.shape
    if width % (2 * BLOCK):
        return None
    blocks = rows.reshape(count, -1, BLOCK)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(-1)[..., None], -1)[..., 0]
    if np.abs(largest).max(initial=0) / -LOWEST > np.finfo(np.float16).max:
        return None
    scales = (largest / LOWEST).astype(np.float16)
    divisors = np.where(scales == 0, 1, scales).astype(np.float32)[..., None]
    values = np.clip(np.rint(blocks / divisors), LOWEST, _HIGHEST).reshape(count, width)
    shifted = (values - LOWEST).astype(np.uint8)
    half = width // 2
    packed = (shifted[:, :half] | shifted[:, half:] << 4).astype(np.uint8)
    found = FourBits(packed, scales)
    return found if np.array_equal(found.rows(), rows) else None
