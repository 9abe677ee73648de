"""How many prompt tokens a model takes, for policies with fit_context."""

from collections.abc import Callable, Mapping

from policies.match import model_glob


class ContextWindows:
    """Looks in globs on the model's name first, in their order, then in what is published."""

    def __init__(
        self, sizes: Mapping[str, int], published: Callable[[str], int | None] | None = None
    ) -> None:
        """Take tokens by glob; `published` looks up what they leave open."""
        self._sizes = [(model_glob(pattern), size) for pattern, size in sizes.items()]
        self._published = published

    def of(self, model: str) -> int | None:
        """Return a model's context window in tokens, None where it is not known."""
        for matches, size in self._sizes:
            if matches(model):
                return size
        return self._published(model) if self._published is not None else None
