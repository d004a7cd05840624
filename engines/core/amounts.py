"""Amounts of data and of time as people read them: sensible digits, with their unit."""

from __future__ import annotations


def amount(value: float, unit: str) -> str:
    """An amount of data. What is counted is exact, "1,375 frames", where an estimate has sensible digits. Hours become
    seconds or minutes where that reads better: "11 s", "1.5 min", "1.6 h", but never days: "960 h"."""
    if unit == "hours":
        return duration(value * 3600) if value < 48 else f"{digits(value)} h"
    if unit.endswith("s") and value == 1:
        unit = unit[:-1]
    return f"{value:,.0f} {unit}" if float(value).is_integer() else f"{digits(value)} {unit}"


def duration(seconds: float) -> str:
    """A time: "0.8 ms", "12 ms", "45 s", "1.5 min", "1.6 h", "3 days"."""
    for scale, unit, below in ((1e-3, "ms", 0.9995), (1.0, "s", 59.95), (60.0, "min", 3597.0), (3600.0, "h", 172800.0)):
        if seconds < below:
            return f"{digits(seconds / scale)} {unit}"
    return f"{digits(seconds / 86400)} days"


def digits(value: float) -> str:
    """Two significant digits below ten, else three, without trailing noughts."""
    rounded = float(f"{value:.2g}" if value < 9.95 else f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:,g}"
