"""The lecture's claims, each held against our runs and against what others published, with a verdict by rule.

A claim is turned into comparisons (`rules`). A comparison of our runs speaks for or against it when two scores differ
by more than 1.96 times the standard error of their difference; one of published results, when they were scored on the
same test set with amounts of data within half a decade of each other (the same amount where both have it). Published
figures come without uncertainty, so any difference counts.

The verdict: *supported* if all that speak speak for it, *contradicted* if all speak against it, *mixed* if some do one
and some the other, *not testable here* if none speaks. Nothing is typed in: the verdicts change with the runs.
"""

from engines.claims.evidence import Claim, Evidence, Judged, claims, verdict
from engines.claims.measured import HERE
from engines.claims.rules import judge

__all__ = ["HERE", "Claim", "Evidence", "Judged", "claims", "judge", "verdict"]
