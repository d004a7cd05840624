"""The nouns that everything else is made of. NumPy at most."""

from engines.core.case import CaseStudy, Choice, EngineInfo, Example, Faults, SideBudget, Task
from engines.core.engine import NOTHING, Engine, Progress, Shape, Stage, Step, Trace, quiet
from engines.core.errors import UserError
from engines.core.spec import Budget, Floats, Metric, Segment, Spec, resolve
from engines.core.split import Picked, Split, TaskData, TrainingData

__all__ = [
    "NOTHING",
    "Budget",
    "CaseStudy",
    "Choice",
    "Engine",
    "EngineInfo",
    "Example",
    "Faults",
    "Floats",
    "Metric",
    "Picked",
    "Progress",
    "Segment",
    "Shape",
    "SideBudget",
    "Spec",
    "Split",
    "Stage",
    "Step",
    "Task",
    "TaskData",
    "Trace",
    "TrainingData",
    "UserError",
    "quiet",
    "resolve",
]
