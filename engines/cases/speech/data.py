"""The data of the speech case: one loader a task, and clips for the Try page."""

from __future__ import annotations

from engines.cases.speech.commands import commands
from engines.cases.speech.digits import digits
from engines.cases.speech.examples import examples
from engines.cases.speech.sentences import sentences

__all__ = ["commands", "digits", "examples", "sentences"]
