"""A case whose only engine takes its time: a run of it can be watched and cancelled."""

from engines.core import CaseStudy, EngineInfo, Metric, Spec, Task

CASE = CaseStudy(
    slug="patience",
    title="Patience (a toy)",
    question="How long is a minute?",
    tasks=(
        Task(
            slug="wait",
            title="Waiting",
            summary="Nothing but time.",
            x=Spec("text"),
            y=Spec("text"),
            metric=Metric("error rate", "%", True, "engines.ml.wer:measure", "engines.ml.wer:combine"),
            unit="waits",
            load="patience.engine:nothing",
            budgets=(1, 2),
            models=(),
            tiny=1,
            simulated=True,
            datasets=(),
        ),
    ),
    engines=(
        EngineInfo(
            name="pipeline",
            title="Waiter",
            shape="pipeline",
            version=1,
            target="patience.engine:Waiter",
            summary="Waits a minute in small steps.",
        ),
    ),
)
