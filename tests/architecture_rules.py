"""The rules that test_architecture.py holds the source to. Each returns its faults."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

RUNTIME = ("compressor", "policies", "proxy")
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
BANNED_STEMS = {"utils", "util", "helpers", "helper", "manager", "common", "misc", "experimental"}


@dataclass(frozen=True, slots=True)
class Module:
    """One source file: its path from the repository's root, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @classmethod
    def parse(cls, path: str, text: str) -> "Module":
        return cls(path, text, ast.parse(text, filename=path))

    @property
    def dotted(self) -> str:
        return self.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")

    @property
    def package(self) -> str:
        return self.path.split("/", maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name, absolute, and whether the import stands inside a function."""

    name: str
    line: int
    in_function: bool


@dataclass(frozen=True, slots=True)
class Reserved:
    """A dependency that only some files may import.

    `files` are paths or, ending in a slash, folders; with `lazy` only inside functions there,
    except in the files of `eager`, which nothing of ours imports.
    """

    names: tuple[str, ...]
    files: tuple[str, ...]
    lazy: bool = False
    eager: tuple[str, ...] = ()


RESERVED = (
    Reserved(("httpx", "requests", "urllib3"), ()),
    Reserved(("aiohttp",), ("proxy/upstream.py", "proxy/upstream_websocket.py")),
    Reserved(("wsproto", "uvicorn.protocols.websockets"), ("proxy/websocket_protocol.py",)),
    Reserved(("websockets",), ()),
    Reserved(("yaml",), ("proxy/config.py", "proxy/config_file.py", "proxy/config_reference.py")),
    Reserved(
        ("litellm",),
        ("proxy/prices.py", "proxy/litellm_library.py"),
        lazy=True,
        eager=("proxy/integrations/litellm_callback.py",),
    ),
    Reserved(("langchain_core",), ("proxy/integrations/langchain.py",)),
    Reserved(("llama_index",), ("proxy/integrations/llamaindex.py",)),
    Reserved(
        tuple(
            f"proxy.integrations.{name}" for name in ("langchain", "llamaindex", "litellm_callback")
        ),
        (),
    ),
    Reserved(("openai",), ("proxy/demo/",), lazy=True),
    Reserved(
        ("torch", "transformers", "safetensors"),
        ("compressor/classifier/torch.py", "compressor/training/", "compressor/evaluation/"),
    ),
    Reserved(("starlette", "uvicorn", "typer", "structlog", "prometheus_client"), ("proxy/",)),
    Reserved(("onnxruntime",), ("compressor/classifier/",)),
    Reserved(("compressor.training",), ("compressor/training/", "proxy/commands/")),
    Reserved(
        ("compressor.evaluation",),
        ("compressor/evaluation/", "compressor/training/", "proxy/commands/"),
    ),
    Reserved(("benchmarks", "tests"), ("benchmarks/", "tests/")),
)

# A rule of this kind: modules under the first may not import anything under the second.
SEPARATED = (
    ("policies", "compressor"),
    ("policies", "proxy"),
    ("compressor", "policies"),
    ("compressor", "proxy"),
    ("compressor.types", "compressor"),
    ("policies.types", "policies"),
)

ENVIRONMENT_READER = "proxy/config.py"
ENVIRONMENT_NAMES = {"environ", "environb", "getenv", "getenvb", "putenv"}
# How many handlers may catch everything, by file: the fail-open boundaries of the compressor and of
# the request's preparation, the error table, a changed config, and a user's own redaction.
BROAD_EXCEPTS = {
    "compressor/deadline.py": 1,
    "compressor/tokens.py": 1,  # the tokenizers library raises Exception itself
    "proxy/exchange.py": 1,
    "proxy/planning.py": 1,
    "proxy/reload.py": 1,
    "proxy/sample.py": 1,
    "proxy/websocket_exchange.py": 1,
    "proxy/integrations/litellm_callback.py": 1,
    "proxy/integrations/passages.py": 1,
}


def read_modules(root: Path, packages: Sequence[str]) -> list[Module]:
    """Parse every Python file of these folders."""
    paths = sorted(p for name in packages for p in (root / name).rglob("*.py"))
    return [Module.parse(p.relative_to(root).as_posix(), p.read_text("utf-8")) for p in paths]


def under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def imports(module: Module) -> Iterator[Import]:
    """Yield what a module imports, absolute; `from a import b` gives a and a.b."""
    yield from _imports(module, module.tree, in_function=False)


def _imports(module: Module, parent: ast.AST, *, in_function: bool) -> Iterator[Import]:
    for node in ast.iter_child_nodes(parent):
        for name in _imported_names(module, node):
            yield Import(name, getattr(node, "lineno", 0), in_function)
        inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        yield from _imports(module, node, in_function=inside)


def _imported_names(module: Module, node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=base, names=names, level=level):
            home = module.dotted.split(".")
            if not module.path.endswith("__init__.py"):
                home.pop()
            parts = home[: len(home) - level + 1] if level else []
            origin = ".".join([*parts, *([base] if base else [])])
            return [origin, *(f"{origin}.{alias.name}" for alias in names)]
        case ast.Call(
            func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name))]
        ):
            return [name]
        case ast.Call(func=ast.Name(id="__import__"), args=[ast.Constant(value=str(name)), *_]):
            return [name]
    return []


def separation_faults(modules: Sequence[Module]) -> list[str]:
    """Return imports between parts that must not know each other."""
    return [
        f"{module.path}:{found.line} imports {found.name}: {home} never imports {banned}"
        for module in modules
        for home, banned in SEPARATED
        if under(module.dotted, home)
        for found in imports(module)
        if under(found.name, banned) and not (under(found.name, home) and home != banned)
    ]


def reserved_faults(modules: Sequence[Module]) -> list[str]:
    """Return imports of a dependency outside the files that may have it."""
    return [
        f"{module.path}:{found.line} imports {found.name}: "
        + ("only inside functions of " if rule.lazy else "only in ")
        + ", ".join(rule.files)
        for module in modules
        for found in imports(module)
        for rule in RESERVED
        if any(under(found.name, name) for name in rule.names)
        and not _within(module.path, rule.eager)
        and not (_within(module.path, rule.files) and (found.in_function or not rule.lazy))
    ]


def _within(path: str, places: Sequence[str]) -> bool:
    return any(
        path == place or (place.endswith("/") and path.startswith(place)) for place in places
    )


def environment_faults(modules: Sequence[Module]) -> list[str]:
    """Return uses of the process environment outside its one reader."""
    faults = []
    for module in modules:
        if module.path == ENVIRONMENT_READER:
            continue
        for node in ast.walk(module.tree):
            match node:
                case ast.Attribute(value=ast.Name(id="os"), attr=name):
                    names = {name}
                case ast.ImportFrom(module="os", names=aliases):
                    names = {alias.name for alias in aliases}
                case _:
                    continue
            faults += [
                f"{module.path}:{node.lineno} uses os.{name}: only {ENVIRONMENT_READER} may"
                for name in sorted(names & ENVIRONMENT_NAMES)
            ]
    return faults


def file_size_faults(modules: Sequence[Module]) -> list[str]:
    """Return files that are too long."""
    sizes = ((module.path, module.text.count("\n")) for module in modules)
    return [
        f"{path} has {n} lines, over {MAX_FILE_LINES}" for path, n in sizes if n > MAX_FILE_LINES
    ]


def function_size_faults(modules: Sequence[Module]) -> list[str]:
    """Return functions that are too long, without counting their decorators."""
    return [
        f"{module.path}:{node.lineno} {node.name} has {lines} lines, over {MAX_FUNCTION_LINES}"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]


def name_faults(paths: Sequence[str]) -> list[str]:
    """Return files whose name says nothing about what they hold."""
    return [
        f"{path}: name the file after what it holds"
        for path in paths
        if any(
            part in BANNED_STEMS or (part[:-1].endswith("_v") and part[-1].isdigit())
            for part in path.removesuffix(".py").split("/")
        )
    ]


def broad_except_faults(modules: Sequence[Module]) -> list[str]:
    """Return handlers that catch everything beyond those of the boundaries."""
    faults = []
    for module in modules:
        broad = [
            f"{module.path}:{node.lineno} catches everything: name what is expected"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ExceptHandler) and _is_broad(node.type)
        ]
        if len(broad) > BROAD_EXCEPTS.get(module.path, 0):
            faults += broad
    return faults


def _is_broad(caught: ast.expr | None) -> bool:
    match caught:
        case None:
            return True
        case ast.Name(id=name):
            return name in {"Exception", "BaseException"}
        case ast.Tuple(elts=members):
            return any(_is_broad(member) for member in members)
    return False


def global_faults(modules: Sequence[Module]) -> list[str]:
    """Return `global` statements."""
    return [
        f"{module.path}:{node.lineno} rebinds a global: {', '.join(node.names)}"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Global)
    ]


def mirror_faults(tests: Sequence[str], sources: Sequence[str]) -> list[str]:
    """Return test files that mirror no source: tests/a/test_b.py tests a/b.py or a/b/.

    tests/a/test_b_topic.py is fine too. Files in integration/ and at the top test the whole.
    """
    stems = {source.removesuffix(".py") for source in sources}
    stems |= {source.rsplit("/", 1)[0] for source in sources}
    faults = []
    for test in tests:
        folder, _, name = test.removeprefix("tests/").rpartition("/")
        if not name.startswith("test_") or folder.split("/")[0] in {"", "integration"}:
            continue
        subject = name.removeprefix("test_").removesuffix(".py")
        words = subject.split("_")
        candidates = {f"{folder}/{'_'.join(words[:n])}" for n in range(1, len(words) + 1)}
        if not candidates & stems and not (subject == "init" and folder in stems):
            faults.append(f"{test} mirrors no source file; there is no {folder}/{subject}.py")
    return faults
