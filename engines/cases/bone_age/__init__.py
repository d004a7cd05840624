"""Bone age: hand X-ray -> bones -> lengths -> table of averages, or hand X-ray -> age in one network."""

from engines.core import CaseStudy, Choice, EngineInfo, Metric, SideBudget, Spec, Task

MAE = Metric(
    name="mean absolute error",
    unit="months",
    lower_is_better=True,
    measure="engines.cases.bone_age.scoring:measure",
    combine="engines.cases.bone_age.scoring:combine",
)
AGE = Spec("age", "months")
_MASKS = "masks of the bones of 160 other hands"
_SIDES = (
    SideBudget(
        "masks",
        {"pipeline+masks_10": 10, "pipeline+masks_40": 40, "pipeline+all_measures": 160},
        "end_to_end",
        "a pipeline with all measures",
    ),
)

SIMULATED = Task(
    slug="simulated",
    title="Hand X-rays (simulated)",
    summary="Radiographs of hands that never were, of 3 to 18 years: how old is the skeleton? Made from a seed by five "
    "scanners, a quarter of the test by a sixth; not for clinical use.",
    x=Spec("radiograph", "mm", (192, 144)),
    y=AGE,
    metric=MAE,
    unit="X-rays",
    load="engines.cases.bone_age.simulated:simulated",
    budgets=(20, 40, 80, 160, 320, 640, 1280, 5000),
    models=(80, 320, 1280),
    tiny=4,
    simulated=True,
    datasets=("simulated_hands",),
    variants={
        "new_scanner": "a scanner of which nothing was trained on",
        "chronological": "against the age by the calendar, which is another target",
    },
    sides=_SIDES,
)
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
    without=("pipeline+masks_40", "pipeline+masks_10"),
    withheld=(_MASKS,),
)

RSNA = Task(
    slug="rsna",
    title="Hand X-rays (RSNA)",
    summary="Radiographs of the RSNA challenge with the bone age that radiologists read. Its users bring the data; "
    "masks are those of simulated hands, since nobody outlined the bones of these.",
    x=Spec("radiograph", "mm", (192, 144)),
    y=AGE,
    metric=MAE,
    unit="X-rays",
    load="engines.cases.bone_age.rsna:rsna",
    budgets=(20, 60, 180, 540, 1200, 2500, 5000, 10000),
    models=(20, 180, 1200, 10000),
    tiny=4,
    simulated=False,
    datasets=("rsna_bone_age",),
    sides=_SIDES,
)

CASE = CaseStudy(
    slug="bone_age",
    place=4,
    title="Bone age",
    question="From a hand X-ray to an age: find the bones and look their lengths up, or one network?",
    tasks=(SIMULATED, LENGTHS, RSNA),
    engines=(
        EngineInfo(
            name="pipeline",
            title="Pipeline",
            shape="pipeline",
            version=5,
            target="engines.cases.bone_age.pipeline:Pipeline",
            summary="A U-Net finds the bones, geometry measures them, and a table of averages by sex gives the age.",
            supervision=(_MASKS,),
            readings={
                "given_table": "with a table of averages from elsewhere",
                "all_measures": "with a regression on all measures, of maturity too where there is a picture",
                "masks_40": "with all measures, its bones learned from 40 masks",
                "masks_10": "with all measures, its bones learned from 10 masks",
            },
        ),
        EngineInfo(
            name="hybrid",
            title="Hybrid",
            shape="hybrid",
            version=5,
            target="engines.cases.bone_age.hybrid:Hybrid",
            summary="The pipeline finds and measures the bones; a network reads the age off what was cut out.",
            supervision=(_MASKS,),
        ),
        EngineInfo(
            name="end_to_end",
            title="End-to-end",
            shape="end_to_end",
            version=3,
            target="engines.cases.bone_age.end_to_end:EndToEnd",
            summary="One network from the picture, the sex and the pixel size to the age.",
        ),
    ),
    decode="engines.cases.bone_age.decode:decode",
    accepts=("png", "jpg", "jpeg", "tif", "tiff", "dcm", "csv"),
    limits="a hand X-ray as PNG, JPEG or DICOM that says how large its pixels are (a name like hand_F_0.14mm.png will "
    "do), at most 20 MB; or, for the task of lengths, a CSV of them in mm",
    examples="engines.cases.bone_age.examples:examples",
    make="engines.cases.bone_age.examples:make",
    choices=(
        Choice("sex", "Sex", options=("girl", "boy")),
        Choice("years", "Age", 3.0, 18.0, 0.25, 10.0, "years"),
        Choice("ahead", "Skeleton ahead of the calendar", -24.0, 24.0, 1.0, 0.0, "months"),
        Choice("spread", "Spread of the fingers", 0.0, 1.7, 0.1, 1.0),
        Choice("bent", "Fingers bent", 0.0, 60.0, 5.0, 0.0, "degrees"),
        Choice("turn", "Hand turned", -25.0, 25.0, 1.0, 0.0, "degrees"),
        Choice("number", "Which child", 1.0, 50.0, 1.0, 1.0),
    ),
)
