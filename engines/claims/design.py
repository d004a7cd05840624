"""How each engine is built, read from its source: its stages, and how much was written by hand for it. The lecture's
last claim and the page of data and methods tell the same.

The rule of the count: from the engine's class on, every function, class and constant of this project's cases and blocks
(engines/cases, engines/ml) that it names, and what those name in turn; their lines, without blank lines, comments and
docstrings. Libraries are not counted, nor what all engines share (engines/core). Nothing is imported for it.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import re
import textwrap
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from engines import registry
from engines.core import CaseStudy, EngineInfo

LAZY = re.compile(r"[\w.]+:\w+")  # "module:name"
SHARED = ("engines.core", "engines.runs", "engines.datasets", "engines.curves", "engines.registry")
# "- **name**: text", and the lines that are set in below it.
ITEM = re.compile(r"^- \*\*(?P<name>[^*]+)\*\*: ?(?P<text>.+\n(?:(?: .*)?\n(?=  )|  .+\n)*)", re.MULTILINE)
SECTIONS = (
    "Engines",
    "Rules by budget",
    "What the crossing depends on",
    "End-to-end: lack of data or lack of care?",
)  # of a case's README: how its engines are built and tuned, and what that decides

END = ""  # stands in a row of stages for a `return`

Name = tuple[str, str]  # module, name in it


@dataclass(frozen=True)
class Effort:
    """Lines of code: all that an engine is made of, and those of them that no other engine of its case uses."""

    lines: int
    own: int


@dataclass(frozen=True)
class _Module:
    """A source file: what it defines, under which names it knows what is elsewhere, its lines that hold code."""

    name: str
    defined: dict[str, ast.stmt] = field(default_factory=dict)
    imported: dict[str, Name] = field(default_factory=dict)
    code: frozenset[int] = frozenset()


def stages(info: EngineInfo) -> tuple[tuple[str, ...], ...]:
    """The names of the engine's stages in the order in which the source makes them: one chain for each `return`, where
    inputs of several kinds have chains of their own. What stands under `if reading ...:` is a further reading's."""
    module, _, name = info.target.partition(":")
    chains: list[list[str]] = [[]]
    for stage in _stages((module, name), "stages"):
        if stage == END:
            chains.append([])
        else:
            chains[-1].append(stage)
    return tuple(dict.fromkeys(tuple(dict.fromkeys(chain)) for chain in chains if chain))


def effort(case: CaseStudy) -> dict[str, Effort]:
    """Engine name -> lines of code, of the engines that are no references."""
    reached = {info.name: _lines(info.target) for info in case.engines if not info.reference}
    return {
        name: Effort(
            len(lines), len(lines - frozenset().union(*(reached[other] for other in reached if other != name)))
        )
        for name, lines in reached.items()
    }


def told(case: CaseStudy) -> tuple[dict[str, str], str]:
    """What the case's README says of how its engines are built and tuned, as Markdown: of each engine by its name, and
    of all; nothing without one."""
    module = _file(case.engines[0].target.partition(":")[0])
    readme = module.with_name("README.md") if module else None
    if readme is None or not readme.is_file():
        return {}, ""
    parts = re.split(r"^## (.+)\n", readme.read_text(encoding="utf-8"), flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    names = {name.lower(): info.name for info in case.engines for name in (info.name, info.title)}
    each: dict[str, str] = {}

    def taken(item: re.Match[str]) -> str:
        name = names.get(item["name"].lower())
        if name is None:
            return item[0]
        each[name] = textwrap.dedent("  " + item["text"]).strip()
        return ""

    rest = "\n\n".join(ITEM.sub(taken, sections[name]).strip() for name in SECTIONS if name in sections)
    return each, rest


def _stages(where: Name, function: str = "") -> Iterator[str]:
    """The names given to `Stage` in a function, or in a method of a class or of its bases; END after each `return`."""
    found = _found(where)
    if found is None:
        return
    module, node = found
    if function and isinstance(node, ast.ClassDef):
        own = next((each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == function), None)
        if own is None:
            for base in node.bases:
                for name in _named(module, base):
                    yield from _stages(name, function)
            return
        node = own
    yield from _made(module, node)


def _made(module: _Module, node: ast.AST) -> Iterator[str]:
    """Calls of `Stage` in a piece of source, and in the functions of other files that it calls for them."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).startswith("reading"):
            continue
        if isinstance(child, ast.Call):
            called = child.func.id if isinstance(child.func, ast.Name) else getattr(child.func, "attr", "")
            if called == "Stage" and child.args and isinstance(child.args[0], ast.Constant):
                yield str(child.args[0].value)
                continue
            if called == "stages":
                for name in _named(module, child.func):
                    yield from (stage for stage in _stages(name) if stage != END)
        yield from _made(module, child)
        if isinstance(child, ast.Return):
            yield END


@cache
def _lines(target: str) -> frozenset[tuple[str, int]]:
    """(module, line) of all code that the class reaches."""
    module, _, name = target.partition(":")
    waiting: list[Name] = [(module, name)]
    seen: set[Name] = set()
    lines: set[tuple[str, int]] = set()
    while waiting:
        found = _found(waiting.pop())
        if found is None:
            continue
        source, node = found
        key = (source.name, str(node.lineno))
        if key in seen:
            continue
        seen.add(key)
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        lines |= {(source.name, line) for line in range(first, (node.end_lineno or first) + 1) if line in source.code}
        waiting += _named(source, node)
    return frozenset(lines)


def _named(module: _Module, node: ast.AST) -> list[Name]:
    """What a piece of source names, in this module and in others."""
    found: list[Name] = []
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            found.append(module.imported.get(child.id, (module.name, child.id)))
        elif isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name):
            owner = module.imported.get(child.value.id)
            if owner:
                found.append((f"{owner[0]}.{owner[1]}" if owner[1] else owner[0], child.attr))
        elif isinstance(child, ast.Constant) and isinstance(child.value, str) and LAZY.fullmatch(child.value):
            there, _, name = child.value.partition(":")
            found.append((there, name))
    return found


def _found(where: Name) -> tuple[_Module, ast.stmt] | None:
    """Where a name is defined; None for names of libraries, of what all share, and of variables."""
    module = _module(where[0])
    if module is None:
        return None
    if where[1] in module.defined:
        return module, module.defined[where[1]]
    further = module.imported.get(where[1])
    return _found(further) if further and further != where else None


@cache
def _module(name: str) -> _Module | None:
    file = _file(name)
    if file is None:
        return None
    source = file.read_text(encoding="utf-8")
    tree = ast.parse(source)
    defined: dict[str, ast.stmt] = {}
    imported: dict[str, Name] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets: Sequence[ast.expr] = node.targets if isinstance(node, ast.Assign) else [node.target]
            for each in targets:
                defined |= {leaf.id: node for leaf in ast.walk(each) if isinstance(leaf, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            imported |= {each.asname or each.name: (node.module, each.name) for each in node.names}
        elif isinstance(node, ast.Import):
            imported |= {each.asname: (each.name, "") for each in node.names if each.asname}
    return _Module(name, defined, imported, _code(source, tree))


def _code(source: str, tree: ast.Module) -> frozenset[int]:
    """The lines that hold code."""
    idle = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in idle:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node, clean=False):
            lines -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return frozenset(lines)


@cache
def _file(name: str) -> Path | None:
    """The source of a module that belongs to a case or to the blocks of engines; None for all others."""
    root, *parts = name.split(".")
    if root not in _roots() or name.startswith(SHARED) or (root == "engines" and len(parts) < 2):
        return None
    top = importlib.util.find_spec(root)  # of a top-level package: nothing is imported
    for folder in (top.submodule_search_locations or []) if top else []:
        inner = Path(folder, *parts)
        for file in (inner / "__init__.py", inner.with_suffix(".py")):
            if file.is_file():
                return file
    return None


@cache
def _roots() -> frozenset[str]:
    """The packages that cases lie in."""
    every = [info.target for case in registry.cases().values() for info in case.engines]
    return frozenset(target.partition(".")[0].partition(":")[0] for target in every)
