"""The data of the speech case, one loader a task."""

from __future__ import annotations

from engines.cases.speech.commands import commands
from engines.cases.speech.digits import digits
from engines.cases.speech.sentences import sentences

__all__ = ["commands", "digits", "sentences"]
