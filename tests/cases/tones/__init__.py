"""A tiny extra case: is the tone low or high? It shows that a new folder is enough."""

from engines.core import CaseStudy, EngineInfo, Metric, Spec, Task

CASE = CaseStudy(
    slug="tones",
    title="Tones (a toy)",
    question="Is a tone low or high: measure its pitch, or learn from its spectrum?",
    tasks=(
        Task(
            slug="pairs",
            title="Low and high tones",
            summary="Noisy tones made from a seed.",
            x=Spec("waveform", unit="s", shape=(None,), rate=8000),
            y=Spec("text"),
            metric=Metric("error rate", "%", True, "tones.data:measure", "tones.data:combine"),
            unit="tones",
            load="tones.data:pairs",
            budgets=(2, 4, 8, 16, 32, 64, 128, 256),
            models=(4, 32, 256),
            tiny=16,
            simulated=True,
            datasets=(),
        ),
    ),
    engines=(
        EngineInfo(
            name="pipeline",
            title="Pitch, then a threshold",
            shape="pipeline",
            version=1,
            target="tones.engines:Pitch",
            summary="Finds the loudest frequency and compares it with a threshold.",
            supervision=("that pitch is what matters",),
        ),
        EngineInfo(
            name="end_to_end",
            title="Spectrum to answer",
            shape="end_to_end",
            version=1,
            target="tones.engines:Nearest",
            summary="Compares the whole spectrum with the average spectrum of each answer.",
        ),
    ),
    decode="engines.ml.audio:decode",
    remark="engines.ml.audio:cut",
    accepts=("wav", "flac", "mp3", "ogg", "webm", "m4a"),
    limits="0.1 to 30 seconds, at most 20 MB",
    examples="tones.data:examples",
)
