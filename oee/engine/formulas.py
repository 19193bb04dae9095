"""Formulas as data: the text that is shown is the text that is computed, exactly and safely.

A formula is written over names of elements with exact decimal numbers, `+ - * /`, parentheses, and the functions
`min`, `max`, `abs`, `first(a, b, …)` (the first that is known) and `if(a < b, x, y)`. It can do nothing else, so that
anybody who may set up a KPI may write one.
"""

import ast
import keyword
import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction

LONGEST_TEXT = 500
LONGEST_NAME = 32
LONGEST_NUMBER = 30
DEEPEST_PARENTHESES = 20
DEEPEST_TREE = 100
# Longer numbers than 4,300 digits cannot be written as text; what a plant reports has a few dozen.
MOST_BITS = 13_000

FUNCTIONS = {"min": (2, 10), "max": (2, 10), "abs": (1, 1), "first": (2, 10), "if": (3, 3)}
"""How many arguments each function takes, at least and at most."""

Values = Mapping[str, Fraction | None]


class FormulaError(ValueError):
    """Say what is wrong with a formula, and at which of its characters (counted from 1; None = all of it)."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.position = position

    def __str__(self) -> str:
        return self.message if self.position is None else f"{self.message} (At character {self.position}.)"


@dataclass(frozen=True, slots=True)
class _Number:
    value: Fraction


@dataclass(frozen=True, slots=True)
class _Name:
    name: str
    position: int


@dataclass(frozen=True, slots=True)
class _Minus:
    of: "_Node"


@dataclass(frozen=True, slots=True)
class _Binary:
    sign: str
    left: "_Node"
    right: "_Node"


@dataclass(frozen=True, slots=True)
class _Call:
    function: str
    arguments: tuple["_Node", ...]


@dataclass(frozen=True, slots=True)
class _If:
    comparison: str
    left: "_Node"
    right: "_Node"
    then: "_Node"
    otherwise: "_Node"


_Node = _Number | _Name | _Minus | _Binary | _Call | _If

_SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[[Fraction, Fraction], bool]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}
_COMPARE = dict(_COMPARISONS.values())


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was read: `text` as written, `names` of the elements in it."""

    text: str
    names: frozenset[str] = field(compare=False)
    _root: _Node = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> "Formula":
        """Read a formula. Raises FormulaError for what is no formula, is too long or too deep."""
        tokens = _tokens(text)
        root = _Reader(text, tokens).read()
        return cls(text, frozenset(name.name for name in _names(root)), root)

    def check(self, known_names: Collection[str]) -> None:
        """Raise FormulaError for the first name that is not known."""
        for name in sorted(_names(self._root), key=lambda name: name.position):
            if name.name not in known_names:
                raise FormulaError(_unknown(name.name, known_names), name.position)

    def evaluate(self, values: Values) -> Fraction | None:
        """Return the exact value; None when it needs one that is unknown or missing, or divides by zero.

        `first` is the exception: it passes over what is unknown. `if` looks at the branch that it takes only. A number
        too long to be written down is unknown too.
        """
        result = _evaluate(self._root, values)
        if result is not None and max(result.numerator.bit_length(), result.denominator.bit_length()) > MOST_BITS:
            return None
        return result


def _evaluate(node: _Node, values: Values) -> Fraction | None:
    match node:
        case _Number(value):
            return value
        case _Name(name):
            return values.get(name)
        case _Minus(of):
            negated = _evaluate(of, values)
            return None if negated is None else -negated
        case _Binary(sign, left, right):
            return _combine(sign, _evaluate(left, values), _evaluate(right, values))
        case _Call("first", arguments):
            found = (_evaluate(argument, values) for argument in arguments)
            return next((part for part in found if part is not None), None)
        case _Call(function, arguments):
            known = [part for argument in arguments if (part := _evaluate(argument, values)) is not None]
            if len(known) < len(arguments):
                return None
            return abs(known[0]) if function == "abs" else min(known) if function == "min" else max(known)
        case _If(comparison, left, right, then, otherwise):
            first, second = _evaluate(left, values), _evaluate(right, values)
            if first is None or second is None:
                return None
            return _evaluate(then if _COMPARE[comparison](first, second) else otherwise, values)


def _combine(sign: str, left: Fraction | None, right: Fraction | None) -> Fraction | None:
    if left is None or right is None:
        return None
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    return left / right if right else None


def _names(node: _Node) -> Iterator[_Name]:
    match node:
        case _Name():
            yield node
        case _Minus(of):
            yield from _names(of)
        case _Binary(_, left, right):
            yield from (*_names(left), *_names(right))
        case _Call(_, arguments):
            for argument in arguments:
                yield from _names(argument)
        case _If():
            for part in (node.left, node.right, node.then, node.otherwise):
                yield from _names(part)


def _unknown(name: str, known_names: Collection[str]) -> str:
    if name.lower() in FUNCTIONS:
        return f"'{name}' is a function; write what it is of in parentheses."
    same = [known for known in known_names if known.casefold() == name.casefold()]
    near = same or get_close_matches(name.upper(), sorted(known_names), n=1)
    return f"There is no element '{name}'." + (f" Did you mean '{near[0]}'?" if near else "")


# --- reading ---


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int


_TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<name>[A-Za-z][A-Za-z0-9_]*)|(?P<sign>[<>=!]=|[-+*/(),<>])", re.ASCII
)


def _tokens(text: str) -> list[_Token]:
    """Return the words of a formula. What Python would read as something else never gets as far as Python."""
    if len(text) > LONGEST_TEXT:
        raise FormulaError(f"The formula is longer than {LONGEST_TEXT} characters.")
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        if text[at] in " \t\r\n":
            at += 1
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            raise FormulaError(_stray(text[at]), at + 1)
        token = _Token(found.lastgroup or "", found.group(), at)
        _refuse_word(token)
        tokens.append(token)
        at = found.end()
    if not tokens:
        raise FormulaError("The formula is empty.")
    _refuse_order(tokens, len(text))
    return tokens


def _stray(character: str) -> str:
    if character == "=":
        return "Write == to compare."
    if character in "^%":
        return f"'{character}' is not known here; only + - * / are."
    if character == ".":
        return "Write a number with digits on both sides of the point, such as 0.5."
    shown = character if character.isascii() and character.isprintable() else ascii(character).strip("'")
    return f"'{shown}' cannot stand in a formula."


def _refuse_word(token: _Token) -> None:
    at = token.start + 1
    if token.kind == "number":
        if len(token.text) > LONGEST_NUMBER:
            raise FormulaError(f"The number is longer than {LONGEST_NUMBER} digits.", at)
        if re.match(r"0\d", token.text):
            raise FormulaError("Write the number without leading zeros.", at)
    if token.kind == "name":
        if len(token.text) > LONGEST_NAME:
            raise FormulaError(f"The name is longer than {LONGEST_NAME} characters.", at)
        if keyword.iskeyword(token.text) and token.text != "if":
            raise FormulaError(f"'{token.text}' cannot be used in a formula.", at)


def _refuse_order(tokens: list[_Token], length: int) -> None:
    """Raise FormulaError where a word is missing, is one too many, or a parenthesis has no partner."""
    opened: list[_Token] = []
    before: _Token | None = None
    wants_value = True
    for token in tokens:
        at = token.start + 1
        if wants_value:
            if token.kind == "sign" and token.text not in ("(", "-"):
                raise FormulaError(f"A name, a number or '(' is expected here, not '{token.text}'.", at)
            wants_value = token.kind == "sign"
        else:
            calls = token.text == "(" and before is not None and before.kind == "name"
            if token.kind != "sign" or (token.text == "(" and not calls):
                raise FormulaError(f"An operator such as + or * is missing before '{token.text}'.", at)
            wants_value = token.text != ")"
        if token.text == "(":
            opened.append(token)
            if len(opened) > DEEPEST_PARENTHESES:
                raise FormulaError(f"Parentheses stand deeper than {DEEPEST_PARENTHESES} in each other.", at)
        if token.text == ")":
            if not opened:
                raise FormulaError("This ')' has no '(' before it.", at)
            opened.pop()
        before = token
    if wants_value:
        raise FormulaError("The formula ends where a name, a number or '(' is expected.", length)
    if opened:
        raise FormulaError("This '(' is never closed.", opened[-1].start + 1)


class _Reader:
    """Turn Python's syntax tree into ours, letting through what is listed here and nothing else."""

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self._numbers = {token.start: token.text for token in tokens if token.kind == "number"}
        source = [character if character not in "\t\r\n" else " " for character in text]
        for token in tokens:
            if token.text.lower() == "if":
                # Python keeps the small letters to itself.
                source[token.start : token.start + 2] = "IF"
        self._indent = tokens[0].start
        self._source = "".join(source)[self._indent :]

    def read(self) -> _Node:
        """Return the tree of the formula."""
        try:
            tree = ast.parse(self._source, mode="eval")
        except SyntaxError as error:
            at = None if error.offset is None else error.offset + self._indent
            raise FormulaError("The formula cannot be read here.", at) from None
        except (ValueError, MemoryError, RecursionError):
            raise FormulaError("The formula cannot be read.") from None
        return self._node(tree.body, 0)

    def _node(self, node: ast.expr, depth: int) -> _Node:
        at = self._at(node)
        if depth > DEEPEST_TREE:
            raise FormulaError("The formula is nested too deeply; use fewer terms.", at)
        match node:
            case ast.Constant():
                return _Number(Fraction(self._numbers[at - 1]))
            case ast.Name(id=name):
                return _Name(name, at)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _Minus(self._node(operand, depth + 1))
            case ast.BinOp(left=left, op=op, right=right):
                if type(op) not in _SIGNS:
                    raise FormulaError("Only + - * / are known; write a power as a product.", at)
                return _Binary(_SIGNS[type(op)], self._node(left, depth + 1), self._node(right, depth + 1))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments, at, depth)
            case ast.Compare():
                raise FormulaError("A comparison can only be the first part of if(…, …, …).", at)
            case ast.Tuple():
                raise FormulaError(
                    "A comma only stands between the parts of a function; decimals are written with a point.", at
                )
        raise FormulaError("This cannot stand in a formula.", at)

    def _call(self, name: str, arguments: list[ast.expr], at: int, depth: int) -> _Node:
        function = name.lower()
        if function not in FUNCTIONS:
            raise FormulaError(f"There is no function '{name}'; known are {', '.join(FUNCTIONS)}.", at)
        least, most = FUNCTIONS[function]
        if not least <= len(arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise FormulaError(f"{function}(…) takes {wanted} part{'s' * (most > 1)}, not {len(arguments)}.", at)
        if function != "if":
            return _Call(function, tuple(self._node(argument, depth + 1) for argument in arguments))
        match arguments[0]:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
                compared = self._node(left, depth + 1), self._node(right, depth + 1)
                branches = self._node(arguments[1], depth + 1), self._node(arguments[2], depth + 1)
                return _If(_COMPARISONS[type(op)][0], *compared, *branches)
        raise FormulaError("The first part of if(…, …, …) is one comparison, such as PQ > 0.", self._at(arguments[0]))

    def _at(self, node: ast.expr) -> int:
        return node.col_offset + self._indent + 1
