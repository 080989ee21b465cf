"""What the syntax tree of a step's file tells about its function."""

import ast
import sys
import threading
import warnings

from events.refusals import FailureCode
from events.resources import Step
from services.builder.errors import Unbuildable
from services.builder.wording import listed, quoted

Function = ast.FunctionDef | ast.AsyncFunctionDef

_PARSING = threading.Lock()


def parse(source: bytes, path: str) -> ast.Module:
    """Return the syntax tree of `source`. Raises Unbuildable when it is not Python."""
    try:
        # The lock is for the warnings about the user's code, which are of no interest here: their filter is global.
        with _PARSING, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except SyntaxError as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        line = f" (line {error.lineno})" if error.lineno else ""
        raise Unbuildable(
            FailureCode.INVALID_CODE, f"{quoted(path)} is not valid Python {version}: {error.msg}{line}."
        ) from None
    except ValueError:
        raise Unbuildable(
            FailureCode.INVALID_CODE, f"{quoted(path)} is not Python source: it contains null bytes."
        ) from None
    except (RecursionError, MemoryError):
        raise Unbuildable(
            FailureCode.INVALID_CODE, f"{quoted(path)} is nested too deeply to be read; make its expressions simpler."
        ) from None


def check_function(module: ast.Module, step: Step, path: str) -> None:
    """Raise Unbuildable unless `module` defines the step's function and that takes the step's inputs by name.

    A decorator may change what a function takes, so of a decorated one only the presence is checked.
    """
    functions = _top_level_functions(module)
    function = functions.get(step.function_name)
    if function is None:
        found = f"it defines {listed([quoted(name) for name in functions])}" if functions else "it defines no function"
        raise Unbuildable(
            FailureCode.FUNCTION_NOT_FOUND,
            f"{quoted(path)} does not define a function {quoted(step.function_name)} at its top level ({found}); "
            "define it there or mend function_name.",
        )
    if not function.decorator_list:
        _check_parameters(function.args, step)


def _top_level_functions(module: ast.Module) -> dict[str, Function]:
    """Return the functions that running `module` could define, also under an `if` or a `try`; the last one wins."""
    found: dict[str, Function] = {}
    nodes: list[ast.AST] = [module]
    while nodes:
        node = nodes.pop()
        if isinstance(node, Function):
            found[node.name] = node
        elif not isinstance(node, ast.ClassDef | ast.expr):
            nodes.extend(reversed(list(ast.iter_child_nodes(node))))
    return found


def _check_parameters(arguments: ast.arguments, step: Step) -> None:
    inputs = [spec.name for spec in step.inputs]
    by_name = {parameter.arg for parameter in (*arguments.args, *arguments.kwonlyargs)}
    function = quoted(step.function_name)
    refused = [name for name in inputs if name not in by_name]
    if refused and arguments.kwarg is None:
        raise Unbuildable(
            FailureCode.PARAMETERS_MISMATCH,
            f"The function {function} does not take the declared {_noun('input', refused)} by name; add "
            f"{_noun('parameter', refused)} or declare other inputs.",
        )
    unfed = [name for name in _required(arguments) if name not in inputs or name not in by_name]
    if unfed:
        raise Unbuildable(
            FailureCode.PARAMETERS_MISMATCH,
            f"The function {function} requires the {_noun('parameter', unfed)}, which no declared input can give by "
            "name; declare inputs of these names or give the parameters defaults.",
        )


def _required(arguments: ast.arguments) -> list[str]:
    positional = [parameter.arg for parameter in (*arguments.posonlyargs, *arguments.args)]
    required = positional[: len(positional) - len(arguments.defaults)]
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return required + [parameter.arg for parameter, default in pairs if default is None]


def _noun(noun: str, names: list[str]) -> str:
    return f"{noun if len(names) == 1 else f'{noun}s'} {listed([quoted(name) for name in names])}"
