"""What a visitor says was spoken."""

from __future__ import annotations

import re
from collections.abc import Collection

from engines import datasets
from engines.cases.speech import commands, digits, sentences
from engines.core import Task, UserError
from engines.ml import transcript


def reference(typed: str, task: Task) -> tuple[str, str]:
    """The transcript as the task spells it, and what must be known of it: words that were left out, and words that no
    engine with a lexicon can answer.

    Raises:
        UserError: nothing was typed that could have been spoken.
    """
    if task.slug == "digits":  # spoken one by one
        typed = re.sub(r"(?<=\d)(?=\d)", " ", typed)
    text = transcript.normalise(typed)
    words = _vocabulary(task)
    remarks = [transcript.dropped_words(typed), transcript.unknown_words(text, words) if words else ""]
    return text, " ".join(filter(None, remarks))


def _vocabulary(task: Task) -> Collection[str]:
    """The words of a task's lexicon; none where the data that brings them is not there."""
    if task.slug == "digits":
        return digits.LEXICON
    if task.slug == "commands":
        return commands.lexicon()
    try:
        return sentences.read_lexicon(datasets.path("speechocean762_lexicon"))
    except UserError:
        return ()
