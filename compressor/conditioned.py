"""How much each word bears on a question, from a classifier that reads both together.

The window goes in behind the question, as in Provence (arXiv 2501.16214): `<s> question </s> window
</s>`. What the question changes is the difference between the log-odds of the keep probability with
it and without; a lexical relevance may count beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from compressor.classifier.base import Encoded, QuestionClassifier
from compressor.lexical import LexicalRelevance
from compressor.pool import Piece
from compressor.relevance import Asked, FloatArray
from compressor.scoring import word_probabilities
from compressor.windows import QUESTION_TOKENS, Window, plan_asked_windows

_REVISION = 1


@dataclass(frozen=True, slots=True)
class ConditionedRelevance:
    """A classifier's view of a text behind a question, added to a lexical one's.

    `weight` multiplies the log-odds of the keep probabilities, which already tell a word that
    answers from one that does not; `lexical` is what counts beside them.
    """

    classifier: QuestionClassifier
    weight: float = 1.0
    lexical: LexicalRelevance = field(default_factory=LexicalRelevance)

    @property
    def revision(self) -> str:
        """The classifier's and the lexical part's, with the weight."""
        return (
            f"conditioned-{_REVISION}/{self.classifier.revision}/{self.weight:g}"
            f"/{self.lexical.revision}"
        )

    def pieces(self, asked: Asked) -> Sequence[Piece[FloatArray]]:
        """Return a call for every window, shorter by the question's tokens.

        With as much context as `tersely train` gives windows behind a question, whatever the
        checkpoint says of others.
        """
        question = self.classifier.encode(asked.question).ids[:QUESTION_TOKENS]
        lead = np.append(question, self.classifier.separator)
        return [
            self._piece(lead, asked.encoded, window)
            for window in plan_asked_windows(
                len(asked.encoded.ids), asked.encoded.ends, len(question)
            )
        ]

    def log_odds(self, asked: Asked, outputs: Sequence[FloatArray]) -> FloatArray:
        """Return one number a word: the weighted log-odds behind the question, and the lexical."""
        lexical = self.lexical.log_odds(asked)
        if not outputs:
            return lexical
        tokens = np.concatenate(outputs)
        probabilities = word_probabilities(asked.words, asked.encoded.offsets, tokens)
        return (lexical + self.weight * _log_odds(probabilities)).astype(np.float32)

    def _piece(
        self, lead: NDArray[np.int64], encoded: Encoded, window: Window
    ) -> Piece[FloatArray]:
        """Return the call for one window: to the classifier, a text that begins with `lead`."""
        ids = np.concatenate((lead, encoded.ids[window.fed_start : window.fed_end]))
        together = Encoded(ids, np.zeros((len(ids), 2), np.int32))
        moved = len(lead) - window.fed_start
        whole = Window(0, len(ids), window.used_start + moved, window.used_end + moved)
        return Piece(len(ids), partial(self.classifier.keep_probabilities, together, whole))


def _log_odds(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    p = np.clip(probabilities.astype(np.float64), 1e-3, 1 - 1e-3)
    odds: NDArray[np.float64] = np.log(p / (1 - p))
    return odds
