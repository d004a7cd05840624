"""Published points: every one has a source, a shape and a value; what is damaged is said."""

import numpy as np
import pytest

from dashboard import charts
from engines import registry
from engines.core import UserError
from engines.datasets import published as module
from engines.datasets.published import published


def test_every_point_has_its_source_and_most_were_checked():
    points = [point for group in published() for series in group.series for point in series.points]
    assert len(points) == 122
    assert all(point.source and np.isfinite(point.value) for point in points)
    assert all(point.size is None or point.size > 0 for point in points)
    assert sum(point.checked == "value and size" for point in points) > len(points) / 2


def test_series_grow_and_groups_share_a_metric():
    groups = published()
    assert len({(group.case, group.test_set, group.metric) for group in groups}) == len(groups)
    for group in groups:
        assert group.title.startswith(group.test_set)
        for series in group.sized:
            sizes = [point.size for point in series.points]
            assert sizes == sorted(sizes)
    assert {group.case for group in published("speech")} == {"speech"}
    assert published("no such case") == ()


def test_the_known_crossover_of_translation_is_in_the_points():
    (group,) = [group for group in published("translation") if group.metric == "BLEU"]
    series = {each.name: {p.size: p.value for p in each.points} for each in group.series}
    smt, nmt = series["Phrase-based SMT"], series["RNN + attention NMT (2016)"]
    assert nmt[14355] < smt[14355]
    assert nmt[14699962] > smt[14699962]


def test_axes_are_shared_only_where_metric_and_unit_are_the_same():
    task = registry.case("speech").task("digits")
    assert all(group.shares_axes(task.metric, task.unit) for group in published("speech"))
    assert not any(group.shares_axes(task.metric, "frames") for group in published("speech"))
    assert not any(group.shares_axes(task.metric, task.unit) for group in published("translation"))


@pytest.mark.parametrize("group", published(), ids=lambda group: group.test_set)
def test_every_group_has_lines_with_sources_and_a_table(group):
    lines = charts.published_lines(group)
    assert len(lines) == len(group.sized)
    assert all("Source: " in text for line in lines for text in line.hover)
    rows = charts.published_table(group)
    assert len(rows) == sum(len(series.points) for series in group.series)
    assert all(row["Source"] for row in rows)
    if lines:
        figure = charts.published_curves(group)
        assert figure.layout.xaxis.title.text == group.unit


@pytest.mark.parametrize(("column", "value"), [("shape", "round"), ("value", "high"), ("lower_is_better", "perhaps")])
def test_a_damaged_row_is_named(tmp_path, column, value):
    lines = module.FILE.read_text().splitlines()
    cells = lines[1].split(",")
    cells[lines[0].split(",").index(column)] = value
    broken = tmp_path / "published.csv"
    broken.write_text("\n".join([lines[0], ",".join(cells)]))
    with pytest.raises(UserError, match="line 2"):
        module._read(broken)
