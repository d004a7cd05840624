"""Learning curves the size of a stamp: arrays in, an SVG out. No axes: they show who falls how, and who is below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, EDGE = 240, 110, 8

Curves = Sequence[tuple[str, Sequence[tuple[float, float]]]]


def thumbnail(curves: Curves, width: int = WIDTH, height: int = HEIGHT, variants: Curves = ()) -> str:
    """An SVG of (colour, ((size, score), …)) lines, sizes on a logarithmic axis, `variants` thin behind the others;
    points that cannot be drawn are left out. Without any, a frame."""
    drawn = [
        (colour, [(math.log(x), y) for x, y in line if x > 0 and math.isfinite(y)], thin)
        for lines, thin in ((variants, True), (curves, False))
        for colour, line in lines
    ]
    every = [point for _, line, _ in drawn for point in line]
    parts = [f'<rect width="{width}" height="{height}" rx="6" fill="#8892a0" fill-opacity="0.08"/>']
    if every:
        left, right = min(x for x, _ in every), max(x for x, _ in every)
        low, high = min(0.0, *(y for _, y in every)), max(y for _, y in every)
        for colour, line, thin in drawn:
            places = [
                (
                    EDGE + (width - 2 * EDGE) * ((x - left) / (right - left) if right > left else 0.5),
                    height - EDGE - (height - 2 * EDGE) * ((y - low) / (high - low) if high > low else 0.5),
                )
                for x, y in line
            ]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            ink = escape(colour, quote=True)
            style = 'stroke-width="1.5" stroke-opacity="0.5"' if thin else 'stroke-width="3"'
            parts.append(f'<polyline points="{path}" fill="none" stroke="{ink}" {style} stroke-linejoin="round"/>')
            if not thin:
                parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="{ink}"/>' for x, y in places]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f"{''.join(parts)}</svg>"
    )
