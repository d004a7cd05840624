"""What a visitor of the Advisor asks, exactly as typed, and the link that carries it."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from engines.core import UserError

LONGEST = 6000  # characters of a link's state; servers and messengers cut longer addresses
PLAIN = 300  # characters up to which it is not compressed
LARGEST = 2_000_000  # bytes that a link may unfold to
MOST_TYPED = 500  # characters of one field or cell that are kept

Cells = tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """Every field is the text that was typed, so that nothing typed is lost and a mistake can be shown where it is.

    rows: (approach, size, score, standard error). needs: (approach, what side data, amount of it, price of one,
    training hours, training hours for each unit of data). `look` is how far the chart looks, as times the data.
    """

    rows: tuple[Cells, ...] = (("Pipeline", "", "", ""),) * 4 + (("End-to-end", "", "", ""),) * 4
    needs: tuple[Cells, ...] = ()
    metric: str = "error rate"
    score_unit: str = "%"
    higher: bool = False
    best: str = ""
    unit: str = "examples"
    currency: str = "€"
    price: str = "1"
    training_price: str = ""
    target: str = ""
    money: str = ""
    penalty: str = ""
    available: str = ""
    horizon: str = ""
    challenger: str = ""
    same_test: bool = True
    look: str = "10"


WIDTHS = {"rows": 4, "needs": 6}


def encode(question: Question) -> str:
    """The state as it stands in the link.

    Raises:
        UserError: it is too long for one.
    """
    made = packed(question) if len(question.rows) <= LONGEST else None
    if made is None or len(made) > LONGEST:
        raise UserError(
            f"This table of {len(question.rows):,} rows is too long for a link, which holds {LONGEST:,} characters: "
            "save it below under a short one, or download the points as CSV and pass on that file."
        )
    return made


def packed(question: Question) -> str:
    """What differs from an empty question, as JSON, compressed when long; "" where nothing does."""
    empty = asdict(Question())
    said = {key: value for key, value in asdict(question).items() if value != empty[key]}
    if "rows" in said:
        said["rows"] = _folded(question.rows)
    if not said:
        return ""
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    return _written("j", text) if len(text) <= PLAIN else _written("z", zlib.compress(text, 9))


def decode(link: str) -> Question:
    """The question that a link carries.

    Raises:
        UserError: the link is damaged.
    """
    damaged = UserError("The link is damaged, so its table cannot be read: ask for it again, or start anew below.")
    try:
        packed = base64.urlsafe_b64decode(link[1:] + "=" * (-len(link[1:]) % 4))
        if link[:1] == "z":
            unfolding = zlib.decompressobj()
            packed = unfolding.decompress(packed, LARGEST)
            if unfolding.unconsumed_tail:
                raise damaged
        elif link[:1] != "j":
            raise damaged
        said = json.loads(packed)
    except (ValueError, binascii.Error, zlib.error, RecursionError) as error:
        raise damaged from error
    if not isinstance(said, dict):
        raise damaged
    return Question(**{each.name: _checked(each.name, said[each.name]) for each in fields(Question)
                       if each.name in said})  # fmt: skip


def table(rows: Sequence[Sequence[Any]], width: int) -> tuple[Cells, ...]:
    """Rows of any values as rows of text, `width` cells each; empty rows at the end are dropped."""
    cells = [tuple(typed(value) for value in [*row, *[""] * width][:width]) for row in rows]
    while cells and not any(cells[-1]):
        cells.pop()
    return tuple(cells)


def typed(value: Any) -> str:
    """A cell or a field as text; nothing (None, NaN) is ""."""
    if value is None or value != value:  # noqa: PLR0124  NaN alone differs from itself
        return ""
    return str(value)[:MOST_TYPED].encode("utf-8", "ignore").decode()  # half a surrogate pair is no text


def _checked(name: str, value: Any) -> Any:
    kind = type(getattr(Question(), name))
    if name in WIDTHS:
        rows = value if isinstance(value, list) else []
        return table([row if isinstance(row, list) else [row] for row in _unfolded(rows)], WIDTHS[name])
    return bool(value) if kind is bool else typed(value)


def _folded(rows: tuple[Cells, ...]) -> list[list[str]]:
    """Rows without empty cells at their ends."""
    return [list(row[: max((i + 1 for i, cell in enumerate(row) if cell), default=0)]) for row in rows]


def _unfolded(rows: list[Any]) -> list[Any]:
    return rows[: LARGEST // 10]


def _written(kind: str, packed: bytes) -> str:
    return kind + base64.urlsafe_b64encode(packed).decode().rstrip("=")
