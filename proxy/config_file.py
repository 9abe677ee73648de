"""YAML text -> plain values, with the place of every key kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

Key = str | int


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file; lines and columns count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a config file: where, at which key, what, and how to mend it."""

    place: Place
    key: tuple[Key, ...]
    text: str

    def __str__(self) -> str:
        words = (str(self.place.line), dotted(self.key), self.text)
        return ": ".join(word for word in words if word)


class NotReadable(Exception):
    """The text is not the YAML that a config file can be; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def dotted(key: Sequence[Key]) -> str:
    """Return a key as messages show it: `routes[2].match.model`."""
    text = ""
    for step in key:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


class Document:
    """One parsed file: `values` in plain dicts, lists and strings, and where each of them stands.

    Scalars stay the text that was written, so that `mode: on`, `model: 4.10` and the like mean
    what they say; the models turn text into numbers and truth values. Keys without a value count
    as not written. `problems` holds what is wrong although the rest can be read.
    """

    def __init__(self, root: yaml.MappingNode | None, loader: yaml.SafeLoader) -> None:
        self._root = root
        self._loader = loader
        self._done: dict[int, object] = {}
        self._open: set[int] = set()
        self.problems: list[Problem] = []
        found = {} if root is None else self._mapping(root, ())
        self.values: dict[str, object] = found

    def place(self, key: Sequence[Key]) -> Place:
        """Return where a key stands; for a key that is not there, its nearest ancestor."""
        place = Place(1, 1)
        node: yaml.Node | None = self._root
        for step in key:
            found = _child(node, step)
            if found is None:
                break
            place, node = found
        return place

    def _value(self, node: yaml.Node, key: tuple[Key, ...]) -> object:
        if not node.tag.startswith("tag:yaml.org,2002:"):
            self._complain(node, key, f"tags like {node.tag[:40]} are not offered; leave it out")
            return None
        if isinstance(node, yaml.ScalarNode):
            empty = node.tag == "tag:yaml.org,2002:null" and node.style is None
            return None if empty else node.value
        if id(node) in self._open:
            self._complain(node, key, "this alias contains itself")
            return None
        if id(node) not in self._done:
            self._open.add(id(node))
            if isinstance(node, yaml.MappingNode):
                self._done[id(node)] = self._mapping(node, key)
            else:
                items = enumerate(node.value)
                self._done[id(node)] = [self._value(item, (*key, i)) for i, item in items]
            self._open.discard(id(node))
        return self._done[id(node)]

    def _mapping(self, node: yaml.MappingNode, key: tuple[Key, ...]) -> dict[str, object]:
        self._find_duplicates(node, key)
        self._loader.flatten_mapping(node)
        values: dict[str, object] = {}
        for name, item in node.value:
            if not isinstance(name, yaml.ScalarNode):
                hint = "a key is plain text; text with { or [ in front needs quotes"
                self._complain(name, key, hint)
                continue
            value = self._value(item, (*key, name.value))
            values.pop(name.value, None)
            if value is not None:
                values[name.value] = value
        return values

    def _find_duplicates(self, node: yaml.MappingNode, key: tuple[Key, ...]) -> None:
        first: dict[str, int] = {}
        for name, _ in node.value:
            if not isinstance(name, yaml.ScalarNode):
                continue
            line = name.start_mark.line + 1
            if name.value in first:
                text = f"is written twice, first in line {first[name.value]}; keep one of them"
                self._complain(name, (*key, name.value), text)
            first.setdefault(name.value, line)

    def _complain(self, node: yaml.Node, key: tuple[Key, ...], text: str) -> None:
        self.problems.append(Problem(_place(node), key, text))


def parse(data: bytes) -> Document:
    """Parse a config file's bytes. Raises NotReadable where that cannot be done at all."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = "is not UTF-8 text; save the file as UTF-8"
        raise NotReadable(Problem(Place(line, 1), (), problem)) from None
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is not None and not isinstance(root, yaml.MappingNode):
            text = "the file has to hold keys, like `upstreams:`, at its left margin"
            raise NotReadable(Problem(_place(root), (), text))
        return Document(root, loader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"the character U+{_codepoint(error):04X} cannot stand in YAML; remove it"
        raise NotReadable(Problem(Place(line, 1), (), problem)) from None
    except yaml.MarkedYAMLError as error:
        raise NotReadable(_syntax_problem(error)) from None
    except RecursionError:
        raise NotReadable(Problem(Place(1, 1), (), "is nested too deeply")) from None


def _child(node: yaml.Node | None, step: Key) -> tuple[Place, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        # the last one holds, as in `values`
        for name, item in reversed(node.value):
            if isinstance(name, yaml.ScalarNode) and name.value == step:
                return _place(name), item
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return _place(node.value[step]), node.value[step]
    return None


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _codepoint(error: yaml.reader.ReaderError) -> int:
    return error.character if isinstance(error.character, int) else ord(error.character)


# what PyYAML's scanner says, to what the person most likely did
_LIKELY: Mapping[str, str] = {
    "mapping values are not allowed here": "a `: ` stands where no key can be; check the "
    "indentation, and put quotes around text that contains `: `",
    "found character '\\t' that cannot start any token": "a tab stands where spaces are needed",
    "could not find expected ':'": "a key without `:`",
    "expected a single document in the stream": "`---` starts a second document; keep one",
}


def _syntax_problem(error: yaml.MarkedYAMLError) -> Problem:
    """Say what PyYAML says without the line's text, which may hold something secret."""
    mark = error.problem_mark or error.context_mark
    place = Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)
    said = next((s for s in (error.problem, error.context) if s in _LIKELY), None)
    if said is not None:
        return Problem(place, (), f"is not YAML: {_LIKELY[said]}")
    words = " ".join(part for part in (error.context, error.problem) if part)
    return Problem(place, (), f"is not YAML: {words} (column {place.column})")
