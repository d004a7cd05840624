"""Bone age: hand X-ray -> bones -> lengths -> table of averages, or hand X-ray -> age in one network."""

from engines.core import CaseStudy, EngineInfo, Metric, Spec, Task

MAE = Metric(
    name="mean absolute error",
    unit="months",
    lower_is_better=True,
    measure="engines.cases.bone_age.scoring:measure",
    combine="engines.cases.bone_age.scoring:combine",
)
AGE = Spec("age", "months")

LENGTHS = Task(
    slug="lengths",
    title="Lengths of hand bones",
    summary="Nineteen bones of the hand, measured on radiographs of 334 children of 9 to 18 years, and the sex: how "
    "old is the child? Only the second half of the problem, on real children.",
    x=Spec("measures", "mm", (19,)),
    y=AGE,
    metric=MAE,
    unit="children",
    load="engines.cases.bone_age.lengths:lengths",
    budgets=(2, 5, 10, 20, 40, 80, 160, 250),
    models=(10, 40, 250),
    tiny=20,
    simulated=False,
    datasets=("hand_bone_lengths",),
    seeds=tuple(range(10)),
)

CASE = CaseStudy(
    slug="bone_age",
    title="Bone age",
    question="From a hand X-ray to an age: find the bones and look their lengths up, or one network?",
    tasks=(LENGTHS,),
    engines=(
        EngineInfo(
            name="pipeline",
            title="Pipeline",
            shape="pipeline",
            version=1,
            target="engines.cases.bone_age.pipeline:Pipeline",
            summary="A U-Net finds the bones, geometry measures them, and a table of averages by sex gives the age.",
            supervision=("masks of the bones of other hands",),
            readings={
                "given_table": "with a table of averages from elsewhere",
                "all_measures": "a regression on all that was measured, maturity too where there is a picture",
            },
        ),
        EngineInfo(
            name="hybrid",
            title="Hybrid",
            shape="hybrid",
            version=1,
            target="engines.cases.bone_age.hybrid:Hybrid",
            summary="The pipeline finds and measures the bones; a network reads the age off what was cut out.",
            supervision=("masks of the bones of other hands",),
        ),
        EngineInfo(
            name="end_to_end",
            title="End-to-end",
            shape="end_to_end",
            version=1,
            target="engines.cases.bone_age.end_to_end:EndToEnd",
            summary="One network from the picture, the sex and the pixel size to the age.",
        ),
    ),
)
