"""Numbers as people read them: sensible digits, with their unit."""

from __future__ import annotations

import re

from engines.core import Metric
from engines.core.amounts import amount, digits, duration
from engines.runs import Point

# What Streamlit's Markdown makes something of even where each sign is escaped: addresses, names of icons and emoji,
# arrows. A sign of no width between the parts leaves them as they are typed.
APART = "\u2060"
LIVE = re.compile(r"(?i:https?:(?=//)|www(?=\.))|(?=@)|:(?=[\w+-]+(?:/\w+)?:)|(?<!\S)[<>~-](?=[=>-]+(?!\S))")
MARKUP = frozenset("\\`*_{}[]()<>#+-!|~:$&")


def about(value: float, unit: str) -> str:
    """An amount that is not known exactly, with two digits: "37 min", "1,200 hours"."""
    if value >= 1e6 and unit != "hours":
        return f"{count(float(f'{value:.2g}'))} {unit}"
    number, _, rest = amount(value, unit).partition(" ")
    rounded = float(f"{float(number.replace(',', '')):.2g}")
    return f"{digits(rounded)} {rest}".strip()


def span(low: float, high: float, unit: str, joint: str = "to") -> str:
    """Two amounts, the unit said once where it is the same: "2 to 42 min", "1.5 min to 2.9 h"."""
    first, last = amount(low, unit), amount(high, unit)
    number, _, one = first.partition(" ")
    same = one == last.partition(" ")[2] or one + "s" == last.partition(" ")[2]
    return f"{number if same else first} {joint} {last}"


def count(value: float) -> str:
    """How many: "840", "12,300", "1.5 million"."""
    if value < 1e6:
        return f"{float(f'{value:.3g}'):,.0f}"
    for scale, unit in ((1e6, "million"), (1e9, "billion")):
        if value < 1000 * scale:
            return f"{digits(value / scale)} {unit}"
    return f"{value:.2g}"


def score(value: float, metric: Metric | None = None) -> str:
    """A score, with its unit when the metric is given: "34", "7.4", "0.62 %"."""
    text = f"{value:.0f}" if abs(value) >= 99.95 else f"{value:.1f}" if abs(value) >= 0.095 else f"{value:.2g}"
    return text if metric is None or not metric.unit else f"{text} {metric.unit}"


def graded(value: float, metric: Metric) -> str:
    """A score of any metric, three digits: "0.0123", "7.42 %", "1,230 points"."""
    unit = f" {metric.unit}" if metric.unit else ""
    if 0 < value < 1e-4:
        return f"under 0.0001{unit}"
    if value == 0 or not 1e-4 <= abs(value) < 1e6:
        return f"{value:.2g}{unit}"
    return f"{float(f'{value:.3g}' if abs(value) >= 1 else f'{value:.2g}'):,.6g}{unit}"


def title(name: str) -> str:
    """A name at the start of a sentence: "Word error rate", but "BLEU"."""
    return name[:1].upper() + name[1:]


def training(point: Point) -> str:
    """How long training took, "46 min", and on what where that was no processor, "4.2 min on a GPU", or not for every
    seed, "46 min (2 of 3 seeds on a GPU)"."""
    took = duration(point.train_seconds)
    if point.device == "cuda":
        return f"{took} on a GPU"
    fast = point.devices.count("cuda")
    return f"{took} ({fast} of {len(point.devices)} seeds on a GPU)" if fast else took


def trained_on(point: Point) -> str:
    """Where the runs of a point were trained: "processor", or "processor (1 seed), GPU (2)"."""
    fast = point.devices.count("cuda")
    slow = len(point.devices) - fast
    if fast and slow:
        return f"processor ({slow} {'seed' if slow == 1 else 'seeds'}), GPU ({fast})"
    return "GPU" if point.device == "cuda" else "processor"


def money(value: float, currency: str) -> str:
    """A sum: "0.07 €", "12.5 €", "1,200 €", "1.5 million €"."""
    number = count(value) if value >= 100 else f"{float(f'{value:.2g}' if value < 10 else f'{value:.3g}'):g}"
    return f"{number} {currency}".strip()


def joined(first: str, last: str) -> str:
    """Two amounts as "1.5 to 4.9 million pairs": the unit is said once where it is the same."""
    unit = last.partition(" ")[2]
    return f"{first.removesuffix(f' {unit}') if unit else first} to {last}"


def interval(low: float, high: float, metric: Metric | None = None) -> str:
    """A 95 % interval: "32.1 to 36.3 %". Bounds below what the metric can be are cut at 0."""
    return f"{score(max(low, 0.0))} to {score(max(high, 0.0), metric)}"


def share(part: float, digits: int = 0) -> str:
    """A share of 1 as per cent: "49 %", "0.3 %"."""
    return f"{100 * part:.{digits}f} %"


def chance(probability: float) -> str:
    """A probability as nobody can take it for more exact than it is: "under 1 %", "62 %", "over 99 %"."""
    if probability < 0.01:
        return "under 1 %"
    return "over 99 %" if probability > 0.99 else f"{100 * probability:.0f} %"


def listing(parts: list[str], joint: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {joint} {parts[-1]}" if parts else ""


def plain(text: str) -> str:
    """Text that a visitor or a file's name had a part in, as Markdown that shows it as it is."""
    apart = LIVE.sub(lambda found: found[0] + APART, text)
    return "".join("\\" + letter if letter in MARKUP else letter for letter in apart)
