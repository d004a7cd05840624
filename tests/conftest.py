"""Settings that all tests share: the toy case is found, the caches of tests are their own, real data where present."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
os.environ["CROSSOVER_CASES"] = str(HERE / "cases")
sys.path.insert(0, str(HERE / "cases"))
# Small things are quicker on one thread, and two test processes share the machine.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")
