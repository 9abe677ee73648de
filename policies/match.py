"""Facts about a request -> the route it takes. First match wins."""

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence

from policies.types import Match, RequestFacts, Route

_WILD = frozenset("*?[")


def glob(pattern: str) -> Callable[[str], bool]:
    """Return a test for one shell-style glob, case-sensitive; `*` also matches `/`."""
    if pattern == "*":
        return _anything
    if _WILD.isdisjoint(pattern):
        return pattern.__eq__
    compiled = re.compile(fnmatch.translate(pattern)).match
    return lambda value: compiled(value) is not None


def model_glob(pattern: str) -> Callable[[str], bool]:
    """Return a test for a model name, in any case.

    A pattern without a slash also takes the name behind a provider's prefix, so that `gpt-4o*`
    matches both `gpt-4o-mini` and `openai/gpt-4o-mini`; a pattern with one sees the whole name.
    """
    pattern = pattern.lower()
    test = glob(pattern)
    if "/" in pattern:
        return lambda model: test(model.lower())

    def with_or_without_prefix(model: str) -> bool:
        name = model.lower()
        return test(name) or ("/" in name and test(name.rpartition("/")[2]))

    return with_or_without_prefix


class Router:
    """Routes made ready once, then asked for every request. Immutable and thread-safe."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = tuple((route, _compile(route.match)) for route in routes)

    def first_match(self, facts: RequestFacts) -> Route | None:
        """Return the first route whose every given member matches, or None."""
        for route, tests in self._routes:
            for test in tests:
                if not test(facts):
                    break
            else:
                return route
        return None

    def depends_on_model(self, facts: RequestFacts) -> bool:
        """Return whether the route could be another if the model were; all else is as in `facts`.

        So a body that nobody else reads need not be read where its model changes nothing.
        """
        for route, tests in self._routes:
            of_model = route.match.model is not None
            if all(test(facts) for test in tests[of_model:]):
                return of_model and route.match.model != "*"
        return False


def first_match(routes: Sequence[Route], facts: RequestFacts) -> Route | None:
    """Return the first matching route, or None. For one-off use: a Router keeps its globs ready."""
    return Router(routes).first_match(facts)


def covers(earlier: Match, later: Match) -> bool:
    """Return whether every request that `later` takes is one that `earlier` takes.

    Sure where it says yes; globs with sets and question marks may cover each other unnoticed.
    """
    return (
        _glob_covers(_lower(earlier.model), _lower(later.model), prefixed=True)
        and _glob_covers(earlier.path, later.path)
        and _glob_covers(earlier.tenant, later.tenant)
        and _headers_cover(earlier.headers, later.headers)
    )


def _headers_cover(earlier: Mapping[str, str], later: Mapping[str, str]) -> bool:
    given = {name.lower(): pattern for name, pattern in later.items()}
    return all(
        name.lower() in given and _glob_covers(pattern, given[name.lower()])
        for name, pattern in earlier.items()
    )


def _glob_covers(earlier: str | None, later: str | None, *, prefixed: bool = False) -> bool:
    if earlier is None or earlier in ("*", later):
        return True
    if later is None:
        return False
    if _WILD.isdisjoint(later):
        return model_glob(earlier)(later) if prefixed else glob(earlier)(later)
    if prefixed and "/" in later and "/" not in earlier:
        return False
    # each `*` of `earlier` swallows whatever the wildcards of `later` stand for
    return _WILD.isdisjoint(earlier.replace("*", "")) and glob(earlier)(later)


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _compile(match: Match) -> tuple[Callable[[RequestFacts], bool], ...]:
    """Return one test per given member, the model's first."""
    tests: list[Callable[[RequestFacts], bool]] = []
    if match.model is not None:
        tests.append(_on_model(model_glob(match.model)))
    if match.path is not None:
        tests.append(_on_path(glob(match.path)))
    if match.tenant is not None:
        tests.append(_on_tenant(glob(match.tenant)))
    tests.extend(_on_header(name.lower(), glob(value)) for name, value in match.headers.items())
    return tuple(tests)


def _on_model(test: Callable[[str], bool]) -> Callable[[RequestFacts], bool]:
    return lambda facts: test(facts.model)


def _on_path(test: Callable[[str], bool]) -> Callable[[RequestFacts], bool]:
    return lambda facts: test(facts.path)


def _on_tenant(test: Callable[[str], bool]) -> Callable[[RequestFacts], bool]:
    return lambda facts: test(facts.tenant)


def _on_header(name: str, test: Callable[[str], bool]) -> Callable[[RequestFacts], bool]:
    def on_header(facts: RequestFacts) -> bool:
        value = facts.headers.get(name)
        return value is not None and test(value)

    return on_header


def _anything(_: str) -> bool:
    return True
