"""What the eval extra adds, imported only where it is used."""

from importlib import import_module
from types import ModuleType


class MissingExtra(Exception):
    """A library that is not installed; the message says what it is for and how to get it."""


def load(module: str, purpose: str, extra: str = "eval") -> ModuleType:
    """Return a module of an extra. Raises MissingExtra."""
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"{purpose} needs {module.partition('.')[0]} ({error}); "
            f"install it with: pip install 'tersely[{extra}]'"
        ) from error
