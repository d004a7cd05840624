"""From measured points to "when does end-to-end win, how sure is that, and what will it cost". NumPy, SciPy, Numba."""

from engines.curves.crossover import Crossover, Interval, best_of, crossover
from engines.curves.curve import Curve, flags
from engines.curves.forecast import Forecast, forecast, forecasts

__all__ = ["Crossover", "Curve", "Forecast", "Interval", "best_of", "crossover", "flags", "forecast", "forecasts"]
