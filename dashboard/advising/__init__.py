"""The Advisor: a visitor's own points in, an answer out. `inputs` and `outputs` draw; nothing else here does."""
