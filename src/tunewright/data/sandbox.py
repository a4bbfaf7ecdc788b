"""The one place where the templates and expressions of project files run: Jinja in a sandbox, within bounds.

    ENVIRONMENT = Sandbox(undefined=StrictUndefined, autoescape=False)

A project file may be a stranger's. Jinja's own sandbox keeps templates from the machine; here they are kept from taking it
up: each rendering has a purse of WORK, out of which loops, calls, filters and all that they make are paid, and what a
number would make too large (`"a" * 10**10`) is refused before it is made. Past its bounds a template raises TooMuch.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any

from jinja2 import TemplateSyntaxError, meta, nodes, pass_context
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEscapeFormatter, SandboxedFormatter
from jinja2.utils import _PassArg
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from tunewright.data.sandbox_sizes import (
    SECONDS,
    SLOW,
    STEPS,
    WORK,
    TooMuch,
    refuse_filter,
    refuse_large,
    refuse_method,
    refuse_wide,
    refuse_wide_field,
    size,
)

_STEP = WORK // STEPS
_MOST_RANGE = 100_000
_SIZED = " sized"
_TURNS = " turns"
"""Filters that no template can name."""


class Rendering(Context):
    """The values of one rendering, and its purse."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.left = WORK
        self._began, self._until = time.thread_time(), time.monotonic() + SECONDS

    def derived(self, locals: dict[str, Any] | None = None) -> "Rendering":
        """The values of a block, whose purse is what is left in this one."""
        made = super().derived(locals)
        assert isinstance(made, Rendering)
        made.left, made._began, made._until = self.left, self._began, self._until
        return made

    def pay(self, work: int) -> None:
        """Raises TooMuch where the purse is empty."""
        self.left -= work
        if self.left < 0 or (time.monotonic() > self._until and self._worked() > SECONDS):
            raise TooMuch

    def _worked(self) -> float:
        """Seconds that it took the processor, which a machine that sleeps, or has other work, adds nothing to."""
        return time.thread_time() - self._began

    def pay_for(self, *values: Any) -> None:
        """Pay for the sizes of values. Raises TooMuch."""
        for value in values:
            self.pay(size(value, self.left))


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja for rows: what it makes hangs on the row alone, and is bounded."""

    context_class = Rendering
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        for drawn in (self.filters, self.globals):  # equal rows are to give equal texts
            drawn.pop("random", None)
            drawn.pop("lipsum", None)
        self.globals["range"] = _range
        self.filters = {name: _paid(name, run) for name, run in self.filters.items()}
        self.filters |= {_SIZED: _sized, _TURNS: _turns}
        self.tests = {name: _timed(run) for name, run in self.tests.items()}  # type: ignore[arg-type]  # functions

    @staticmethod
    def concat(pieces: Iterable[str]) -> str:
        """The pieces as one text. Raises TooMuch."""
        kept, left = list[str](), WORK
        for piece in pieces:
            kept.append(piece)
            left -= len(piece)
            if left < 0:
                raise TooMuch
        return "".join(kept)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """The result of an operator. Raises TooMuch."""
        assert isinstance(context, Rendering)
        if operator in ("*", "**"):
            refuse_large(operator, left, right, context.left)
        elif operator == "%" and isinstance(left, str):
            refuse_wide(left, right, context.left)
            context.pay_for(right)
        result = super().call_binop(context, operator, left, right)
        context.pay_for(result)
        return result

    def call(self, context: Context, /, obj: Any, *args: Any, **more: Any) -> Any:
        """What a function or a method gives. Raises TooMuch."""
        assert isinstance(context, Rendering)
        context.pay(_STEP)
        given = (*args, *(value for name, value in more.items() if not name.startswith("_")))
        if not isinstance(obj, Macro):
            args = tuple(list(one) if isinstance(one, Iterator) else one for one in args)
            given = (*args, *given[len(args) :])
            context.pay_for(*given)
            refuse_method(obj, given, context.left)
        result = super().call(context, obj, *args, **more)
        context.pay_for(result)
        return result

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """A text's `format`, whose fields are counted; None for all else."""
        if super().wrap_str_format(value) is None:
            return None
        text, one = value.__self__, value.__name__ == "format_map"
        with_fields = _Escaped(self, escape=text.escape) if isinstance(text, Markup) else _Fields(self)

        @wraps(value)
        def formatted(*args: Any, **more: Any) -> str:
            if one and (more or len(args) != 1):
                raise TypeError("format_map() takes exactly one argument")
            return type(text)(with_fields.vformat(text, () if one else args, args[0] if one else more))

        return formatted

    def parse(self, source: str, name: str | None = None, filename: str | None = None) -> nodes.Template:
        """The template's tree. Raises TemplateSyntaxError."""
        return _told(super().parse, source, name, filename)

    def asks_for(self, source: str) -> frozenset[str]:
        """The names that a template reads and does not set itself. Raises TemplateSyntaxError."""
        return frozenset(_told(lambda: meta.find_undeclared_variables(self.parse(source))))

    def compile(self, *args: Any, **more: Any) -> Any:
        """The template's code. Raises TemplateSyntaxError."""
        return _told(super().compile, *args, **more)

    def compile_expression(self, *args: Any, **more: Any) -> Any:
        """The expression as a function. Raises TemplateSyntaxError."""
        return _told(super().compile_expression, *args, **more)

    def _generate(self, source: nodes.Template, *args: Any, **more: Any) -> str:
        return super()._generate(_Watched().visit(source), *args, **more)


class _Fields(SandboxedFormatter):
    """Puts what is given into a text's fields, within WORK."""

    _left = WORK

    def format_field(self, value: Any, format_spec: str) -> Any:
        refuse_wide_field(format_spec)
        said = super().format_field(value, format_spec)
        self._left -= len(said)
        if self._left < 0:
            raise TooMuch
        return said


class _Escaped(_Fields, SandboxedEscapeFormatter):
    """The same for a text that escapes what is put into it."""


class _Watched(NodeTransformer):
    """Puts the purse's filters around what grows without a call: loops, texts put together, lists and objects."""

    def visit_For(self, node: nodes.For) -> nodes.For:
        self.generic_visit(node)
        node.iter = _within(_TURNS, node.iter)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:
        self.generic_visit(node)
        node.nodes = [
            one if isinstance(one, nodes.Const | nodes.TemplateData) else _within(_SIZED, one)
            for one in node.nodes
        ]
        return _within(_SIZED, node)

    def visit_List(self, node: nodes.List) -> nodes.Expr:
        self.generic_visit(node)
        return node if all(isinstance(item, nodes.Const) for item in node.items) else _within(_SIZED, node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:
        self.generic_visit(node)
        plain = node.ctx != "load" or all(isinstance(item, nodes.Const) for item in node.items)
        return node if plain else _within(_SIZED, node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Expr:
        self.generic_visit(node)
        return _within(_SIZED, node) if node.items else node


def _within(name: str, node: nodes.Node) -> nodes.Expr:
    assert isinstance(node, nodes.Expr)
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


@pass_context
def _sized(context: Rendering, value: Any) -> Any:
    context.pay_for(value)
    return value


@pass_context
def _turns(context: Rendering, several: Iterable[Any]) -> Iterator[Any]:
    for one in several:
        context.pay(_STEP)
        yield one


_FIRST: dict[_PassArg | None, Callable[[Context], tuple[Any, ...]]] = {
    _PassArg.context: lambda context: (context,),
    _PassArg.eval_context: lambda context: (context.eval_ctx,),
    _PassArg.environment: lambda context: (context.environment,),
    None: lambda context: (),
}
"""What a filter wants before the value."""


def _paid(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, which pays for what it is given and for what it makes."""
    first = _FIRST[_PassArg.from_obj(run)]

    @wraps(run)
    def paid(context: Rendering, value: Any, *args: Any, **more: Any) -> Any:
        given = (*args, *more.values())
        context.pay(_STEP)
        if name in ("join", "sum") and isinstance(value, Iterator):
            value = list(value)
        context.pay_for(*[value] * SLOW.get(name, 1), *given)
        refuse_filter(name, value, given, context.left)
        result = run(*first(context), value, *args, **more)
        context.pay_for(result)
        return result

    return _of_context(paid)


def _timed(run: Callable[..., Any]) -> Callable[..., Any]:
    """The test, which looks at the clock: `select` asks it of many values in one go."""
    first = _FIRST[_PassArg.from_obj(run)]

    @wraps(run)
    def timed(context: Rendering, value: Any, *args: Any, **more: Any) -> Any:
        context.pay(1)
        return run(*first(context), value, *args, **more)

    return _of_context(timed)


def _of_context(run: Callable[..., Any]) -> Callable[..., Any]:
    """A filter or test that is handed the rendering, whatever the one that it stands for wants."""
    for mark in ("jinja_pass_arg", "jinja_async_variant"):
        vars(run).pop(mark, None)
    return pass_context(run)


def _range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > _MOST_RANGE:
        raise TooMuch(f"a range of {_MOST_RANGE:,} numbers is the longest that a template may have")
    return found


def _told(make: Callable[..., Any], *args: Any, **more: Any) -> Any:
    """What it makes. Whatever is wrong with a source is TemplateSyntaxError."""
    try:
        return make(*args, **more)
    except (RecursionError, MemoryError, SyntaxError):  # Python's own, of the code that is made
        raise TemplateSyntaxError("it nests too deep", 1) from None
    except (ValueError, OverflowError) as error:
        raise TemplateSyntaxError(str(error).partition(";")[0], 1) from None
