"""The face turnstile: frame -> face -> cutting -> embedding -> who, or frame -> who in one network."""

from engines.core import CaseStudy, EngineInfo, Metric, SideBudget, Spec, Task

_DETECTOR = "a face detector trained by others (MTCNN)"
_BOXES = "the true boxes of its training frames, and backgrounds without faces to set their heads on anew"

GATE = Task(
    slug="gate",
    title="62 employees at a gate",
    summary="Frames of a camera at a gate: photographs of 62 people set into natural backgrounds, near or far, turned, "
    "blurred and badly lit, with pieces that look like heads beside them. Which employee is it? Strangers come too.",
    x=Spec("picture", "pixels", (240, 320, 3)),
    y=Spec("candidates", "score"),
    metric=Metric(
        name="miss rate",
        unit="%",
        lower_is_better=True,
        measure="engines.cases.turnstile.metric:measure",
        combine="engines.cases.turnstile.metric:combine",
    ),
    unit="frames",
    load="engines.cases.turnstile.data:employees",
    # 62 is one a person; with fewer some of them are not on file.
    budgets=(13, 31, 62, 124, 248, 372, 558, 868, 1375),
    models=(62, 372, 1375),
    tiny=6,
    simulated=False,
    datasets=("lfw", "bsds500_backgrounds"),
    alike=(8,) * 62,
    variants={"strangers": "with 1,000 strangers at the gate, of whom at most one in a hundred may be let in"},
    sides=(
        SideBudget(
            "photos of other people", {"pipeline_500": 500, "pipeline_2000": 2000, "pipeline": 4529}, "end_to_end"
        ),
    ),
)

CASE = CaseStudy(
    slug="turnstile",
    place=2,
    title="Face turnstile",
    question="From a camera's frame to the person: find the face and compare it, or one network?",
    tasks=(GATE,),
    engines=(
        EngineInfo(
            name="pipeline",
            title="Pipeline",
            shape="pipeline",
            version=3,
            target="engines.cases.turnstile.pipeline:Pipeline",
            summary="Finds the face, cuts it out, and compares it with everybody on file: a verifier that was trained "
            "on other people. The frames of the budget enrol the employees.",
            supervision=(_DETECTOR, "4,529 photos of other people"),
        ),
        EngineInfo(
            name="pipeline_2000",
            title="Pipeline, 2,000 photos of others",
            shape="pipeline",
            version=3,
            target="engines.cases.turnstile.variants:Pipeline2000",
            summary="The same with fewer photos of other people to train the verifier on.",
            supervision=(_DETECTOR, "2,000 photos of other people"),
            kept=False,  # its answers differ from the pipeline's in nothing that a visitor could see
        ),
        EngineInfo(
            name="pipeline_500",
            title="Pipeline, 500 photos of others",
            shape="pipeline",
            version=3,
            target="engines.cases.turnstile.variants:Pipeline500",
            summary="The same with very few photos of other people to train the verifier on.",
            supervision=(_DETECTOR, "500 photos of other people"),
            kept=False,  # its answers differ from the pipeline's in nothing that a visitor could see
        ),
        EngineInfo(
            name="pipeline_own_eyes",
            title="Pipeline, detector learned here",
            shape="pipeline",
            version=2,
            target="engines.cases.turnstile.variants:PipelineOwnEyes",
            summary="The same, but the face is found by a small detector that learned from the budget's own frames.",
            supervision=(_BOXES, "4,529 photos of other people"),
            kept=False,  # its answers differ from the pipeline's in nothing but the box
        ),
        EngineInfo(
            name="pipeline_tuned",
            title="Pipeline, verifier tuned",
            shape="pipeline",
            version=3,
            target="engines.cases.turnstile.variants:PipelineTuned",
            summary="The verifier goes on learning from the employees' own frames before it enrols them.",
            supervision=(_DETECTOR, "4,529 photos of other people"),
        ),
        EngineInfo(
            name="hybrid",
            title="Hybrid",
            shape="hybrid",
            version=3,
            target="engines.cases.turnstile.hybrid:Hybrid",
            summary="Finds the face and cuts it out; one network, trained on the employees' cuttings, says who it is.",
            supervision=(_DETECTOR,),
        ),
        EngineInfo(
            name="end_to_end",
            title="End-to-end",
            shape="end_to_end",
            version=2,
            target="engines.cases.turnstile.end_to_end:EndToEnd",
            summary="The whole frame goes into one network, which says who it is, or nobody.",
            supervision=(_BOXES,),
        ),
        EngineInfo(
            name="facenet",
            title="FaceNet",
            shape="pipeline",
            version=1,
            target="engines.cases.turnstile.references:FaceNet",
            summary="The pipeline with a network that others trained on 3.3 million photos (VGGFace2), its 107 MB of "
            "weights downloaded where there is a network; every employee is enrolled with all frames.",
            supervision=(_DETECTOR, "3.3 million photos of 9,131 other people"),
            reference=True,
        ),
    ),
    decode="engines.cases.turnstile.arrivals:decode",
    accepts=("jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif"),
    limits="at least 48 x 48 pixels, at most 25 megapixels and 20 MB",
    examples="engines.cases.turnstile.examples:examples",
)
