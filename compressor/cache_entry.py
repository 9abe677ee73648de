"""A cached result as bytes: written for a store that others can write to, so checked on the way in.

Layout: one line of JSON, a line feed, the text in UTF-8 (lone surrogates as they are).
"""

from typing import Any, Protocol, TypeGuard
from zlib import crc32

import orjson

from compressor.types import CompressionResult, Kind, VerifiedCount

_FORMAT = 2


class EntryUnreadable(Exception):
    """Bytes that are not an entry for this key; the message says in what way."""


class Cipher(Protocol):
    """Encrypts shared values."""

    def encrypt(self, data: bytes) -> bytes:
        """Return the ciphertext."""
        ...

    def decrypt(self, data: bytes) -> bytes:
        """Return the plaintext; raises EntryUnreadable."""
        ...


class FernetCipher:
    """Fernet (AES-128-CBC with HMAC-SHA256, https://github.com/fernet/spec).

    `key` is 32 bytes in URL-safe base64. Raises ValueError when it is not, and when the
    cryptography package is missing.
    """

    def __init__(self, key: str) -> None:
        try:
            from cryptography.fernet import Fernet, InvalidToken  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise ValueError(
                "an encryption key is set for the shared cache, but the cryptography package is "
                "not installed: install tersely[encryption]"
            ) from error
        try:
            self._fernet = Fernet(key)
        except ValueError as error:
            raise ValueError(
                "the encryption key of the shared cache is not a Fernet key (32 bytes in URL-safe "
                "base64). Make one: python -c 'from cryptography.fernet import Fernet; "
                "print(Fernet.generate_key().decode())'"
            ) from error
        self._invalid = InvalidToken

    def encrypt(self, data: bytes) -> bytes:
        """Return the token."""
        return self._fernet.encrypt(data)

    def decrypt(self, data: bytes) -> bytes:
        """Return the plaintext; raises EntryUnreadable for what another key or nobody wrote."""
        try:
            return self._fernet.decrypt(data)
        except self._invalid as error:
            raise EntryUnreadable("not encrypted with this key") from error


def encode_entry(key: bytes, entry: CompressionResult) -> bytes:
    """Return the bytes of a compacted result, bound to its key."""
    text = entry.text.encode("utf-8", "surrogatepass")
    head = {
        "format": _FORMAT,
        "key": key.hex(),
        "crc": crc32(text),
        "before": entry.tokens_before,
        "after": entry.tokens_after,
        "unchanged": entry.unchanged,
        "budget_unmet": entry.budget_unmet,
        "verified": {
            kind.value: [n.spans, n.called_for, n.whole, n.restored]
            for kind, n in entry.verified.items()
        },
    }
    return orjson.dumps(head) + b"\n" + text


def decode_entry(key: bytes, data: bytes) -> CompressionResult:
    """Return the compacted result.

    Raises EntryUnreadable for anything that `encode_entry` did not write under this key.
    """
    line, separator, text = data.partition(b"\n")
    try:
        head = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise EntryUnreadable("it does not begin with JSON") from error
    if not separator or not isinstance(head, dict) or head.get("format") != _FORMAT:
        raise EntryUnreadable("it has another format")
    if head.get("key") != key.hex():
        raise EntryUnreadable("it belongs to another key")
    if head.get("crc") != crc32(text):
        raise EntryUnreadable("its text is damaged")
    return _result(head, text)


def _result(head: dict[str, Any], text: bytes) -> CompressionResult:
    before, after = head.get("before"), head.get("after")
    unchanged, unmet = head.get("unchanged"), head.get("budget_unmet")
    verified = head.get("verified")
    if not _is_count(before) or not _is_count(after):
        raise EntryUnreadable("its token counts are no counts")
    if not isinstance(unmet, bool) or not isinstance(unchanged, str | None):
        raise EntryUnreadable("a field has the wrong type")
    if not isinstance(verified, dict) or not all(map(_is_counts, verified.values())):
        raise EntryUnreadable("a field has the wrong type")
    try:
        return CompressionResult(
            text=text.decode("utf-8", "surrogatepass"),
            tokens_before=before,
            tokens_after=after,
            kept=(),
            unchanged=unchanged,
            budget_unmet=unmet,
            verified={Kind(kind): VerifiedCount(*counts) for kind, counts in verified.items()},
        )
    except ValueError as error:  # text that is no UTF-8, or a kind that is none
        raise EntryUnreadable("its text or a kind in it is not valid") from error


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_counts(value: object) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(map(_is_count, value))
