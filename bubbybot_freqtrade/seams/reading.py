"""A name inside another package, and whether its source still is what we know.

Sources are read, not imported: the installed package and any release's wheel are judged alike, and
no decorator stands between us and what is written.
"""

import ast
import gc
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef

# What a function does is the same whatever it is annotated with, on every version of Python.
_NOT_BEHAVIOUR = {"annotation", "returns", "ctx", "kind", "type_comment", "type_params"}


@dataclass(frozen=True)
class Seam:
    """A name that we call, replace or read, though its package promises nothing about it.

    :param where: module and name, as in ``freqtrade.worker:Worker._worker``
    :param why: what we need of it
    :param takes: a function's parameters, a "=" behind those with a default; None for an attribute
    :param calls: names that the function must call in this order
    :param does: fingerprints of the bodies that were read and found good; empty for any
    """

    where: str
    why: str
    takes: str | None = None
    calls: Sequence[str] = ()
    does: Sequence[str] = field(default=())

    @property
    def name(self) -> str:
        """The last part, without module and class."""
        return self.where.rpartition(":")[2].rpartition(".")[2]

    def difference(self, source: Path) -> str | None:
        """What is not as it was, in words; None when all is.

        :param source: folder that holds the package: site-packages, or an unpacked wheel
        """
        module, _, path = self.where.partition(":")
        found = _find(source, module, path)
        if found is None:
            return f"{self.where} is gone"
        if self.takes is None:
            return None
        if not isinstance(found, Function):
            return f"{self.where} is no function any more"
        if (takes := parameters(found)) != self.takes:
            return f"{self.where} takes ({takes}), not ({self.takes})"
        if not _in_order(self.calls, _called(found)):
            return f"{self.where} no longer calls {', then '.join(self.calls)}"
        if self.does and fingerprint(found) not in self.does:
            return f"{self.where} does something else"
        return None


def parameters(function: Function) -> str:
    """The parameters of a function, as in ``self, pair, *, cached=``."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = len(positional) - len(arguments.defaults)
    told = [f"{one.arg}{'=' * (index >= required)}" for index, one in enumerate(positional)]
    if arguments.vararg:
        told.append(f"*{arguments.vararg.arg}")
    elif arguments.kwonlyargs:
        told.append("*")
    for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        told.append(f"{one.arg}{'=' * (default is not None)}")
    if arguments.kwarg:
        told.append(f"**{arguments.kwarg.arg}")
    return ", ".join(told)


def fingerprint(function: Function) -> str:
    """Twelve digits that change with what a function does, not with its words or its layout."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return hashlib.sha256(repr([_shape(one) for one in body]).encode()).hexdigest()[:12]


def find_function(source: Path, where: str) -> Function:
    """The function that a seam names.

    :raises KeyError: when there is none
    """
    module, _, path = where.partition(":")
    found = _find(source, module, path)
    if not isinstance(found, Function):
        raise KeyError(where)
    return found


def _shape(node: object) -> object:
    if isinstance(node, ast.AST):
        fields = ast.iter_fields(node)
        kept = [
            (k, _shape(v)) for k, v in fields if k not in _NOT_BEHAVIOUR and v not in (None, [])
        ]
        return type(node).__name__, *kept
    if isinstance(node, list):
        return tuple(_shape(one) for one in node)
    return repr(node)


def parsed(file: Path) -> ast.Module:
    """A file's syntax tree.

    Nothing is collected meanwhile: a finalizer that reports its error parses too, and CPython then
    loses count of its depth (SystemError: AST constructor recursion depth mismatch).
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    finally:
        if collects:
            gc.enable()


@cache
def _module(source: Path, module: str) -> ast.Module | None:
    base = source.joinpath(*module.split("."))
    for file in (base.with_suffix(".py"), base / "__init__.py"):
        if file.exists():
            return parsed(file)
    return None


def _find(source: Path, module: str, path: str) -> ast.AST | None:
    """The definition of a function or class, or an assignment to an attribute."""
    scope: ast.Module | ast.ClassDef | None = _module(source, module)
    *classes, name = path.split(".")
    for class_name in classes:
        found = [one for one in getattr(scope, "body", []) if isinstance(one, ast.ClassDef)]
        scope = next((one for one in found if one.name == class_name), None)
    if scope is None:
        return None
    defined = (*Function.__args__, ast.ClassDef)
    for one in reversed(scope.body):
        if isinstance(one, defined) and one.name == name:
            return one
    return next((one for one in ast.walk(scope) if _is_assigned(one, name)), None)


def _is_assigned(node: ast.AST, name: str) -> bool:
    is_target = isinstance(getattr(node, "ctx", None), ast.Store)
    return is_target and name in (getattr(node, "attr", None), getattr(node, "id", None))


def _called(function: Function) -> Iterator[str]:
    """Names of what a function calls, or hands on to be called, as they are written."""
    for node in _in_written_order(function):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id


def _in_written_order(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield child
        yield from _in_written_order(child)


def _in_order(wanted: Sequence[str], found: Iterator[str]) -> bool:
    # `in` takes from the iterator up to the name: each is looked for behind the one before.
    return all(name in found for name in wanted)
