"""A classifier that remembers its outputs on disk, so that a document is classified once."""

import hashlib
import sqlite3
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from compressor.classifier.base import Classifier, Encoded
from compressor.windows import Window


class CachedClassifier:
    """Answers from a SQLite file what the classifier behind it has answered before.

    A window's output depends on nothing but the token ids fed and the range used, and those, with
    the classifier's revision, are the key. Every rate and method after the first is then free of
    the classifier. Thread-safe.
    """

    def __init__(self, classifier: Classifier, path: Path) -> None:
        self._classifier = classifier
        self.revision = classifier.revision
        self.hits = 0
        self.misses = 0
        self._lock = Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=OFF")  # what is lost is computed again
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS windows (key BLOB PRIMARY KEY, probabilities BLOB NOT NULL)"
            " WITHOUT ROWID"
        )

    def encode(self, text: str) -> Encoded:
        """Return the text's tokens."""
        return self._classifier.encode(text)

    def pieces(self, encoded: Encoded) -> list[str]:
        """Return the tokens as the vocabulary spells them."""
        return self._classifier.pieces(encoded)

    def windows(self, encoded: Encoded) -> list[Window]:
        """Return the windows that cover the tokens."""
        return self._classifier.windows(encoded)

    def keep_probabilities(self, encoded: Encoded, window: Window) -> NDArray[np.float32]:
        """Return the keep probabilities of a window's used tokens: float32, (used tokens,)."""
        key = self._key(encoded, window)
        with self._lock:
            row = self._database.execute(
                "SELECT probabilities FROM windows WHERE key = ?", (key,)
            ).fetchone()
            if row is not None:
                self.hits += 1
                return np.frombuffer(row[0], np.float32)
        probabilities = self._classifier.keep_probabilities(encoded, window)
        with self._lock:
            self.misses += 1
            self._database.execute(
                "INSERT OR REPLACE INTO windows VALUES (?, ?)", (key, probabilities.tobytes())
            )
        return probabilities

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _key(self, encoded: Encoded, window: Window) -> bytes:
        used = (window.used_start - window.fed_start, window.used_end - window.fed_start)
        digest = hashlib.sha256(f"{self.revision} {used}".encode())
        digest.update(encoded.ids[window.fed_start : window.fed_end].tobytes())
        return digest.digest()
