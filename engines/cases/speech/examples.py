"""Clips that a visitor can pick on the Try page.

The repository commits a few synthetic ones (`python -m engines.cases.speech.examples` makes them). Where the real data
is on the machine, utterances of the test sets come first; they are written into the cache, never committed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import soundfile

from engines.cases.speech.digits import digits
from engines.cases.speech.plans import RATE, Plan
from engines.cases.speech.sentences import sentences
from engines.core import Example, Floats, Split, Task, UserError
from engines.core.files import replacing
from engines.datasets import cache_directory

# Task -> (text, accent, voice of the test). None of the texts is in a test pool.
SYNTHETIC: dict[str, tuple[tuple[str, str, str], ...]] = {
    "commands": (
        ("MOVE THE GOLDEN PYRAMID SEVEN STEPS LEFT", "en-us", "m3"),
        ("PLAY SOME JAZZ IN THE GARDEN", "en-gb-scotland", "f2"),
        ("REMIND ME TO CALL JULIA TOMORROW AT HALF PAST NINE", "en-gb-x-rp", "Annie"),
    ),
    "digits": (("THREE ZERO SEVEN", "en-us", "f2"),),
    "sentences": (("SHE WANTS TO BE A DOCTOR", "en-us", "m3"),),
}
_VOICED = "voiced by espeak-ng, not by a person"
# Which utterances of the test sets are shown: short ones, of children and adults, of different speakers.
_SHOWN_WORDS = (4, 8)
_SHOWN = 4


def examples(task: Task) -> tuple[Example, ...]:
    """Clips for a task of the speech case, real ones first where there are any."""
    try:
        real = _real(task.slug, cache_directory())
    except UserError:
        # The data is not on this machine: the synthetic clips remain.
        real = ()
    synthetic = tuple(
        Example(title=text.capitalize(), path=f"{task.slug}-{number}.ogg", truth=text, note=_VOICED)
        for number, (text, _, _) in enumerate(SYNTHETIC.get(task.slug, ()), 1)
    )
    return real + synthetic


@lru_cache(maxsize=4)
def _real(slug: str, cache: Path) -> tuple[Example, ...]:
    """Those written into the cache before, so that a page need not read a whole data set to show four clips."""
    index = cache / "examples" / f"{slug}.json"
    try:
        kept = tuple(Example(**each) for each in json.loads(index.read_text()))
    except (OSError, ValueError, TypeError):
        kept = ()
    if kept and all(Path(each.path).is_file() for each in kept):
        return kept
    made = _chosen(slug, cache)
    if made:
        _keep(index, lambda aside: aside.write_text(json.dumps([asdict(each) for each in made])))
    return made


def _chosen(slug: str, cache: Path) -> tuple[Example, ...]:
    if slug == "sentences":
        test, rate, source = sentences().tests["test"], 16000, "speechocean762, CC BY 4.0: a test speaker"
        return _pick(test, rate, source, slug, cache)
    if slug == "digits":
        tests = digits().tests
        licence = "Free Spoken Digit Dataset, CC BY-SA 4.0"
        heard = _pick(tests["test"], 8000, f"{licence}: a test recording", slug, cache)
        unheard = _pick(tests["unseen_speakers"], 8000, f"{licence}: a speaker never trained on", f"{slug}-new", cache)
        return heard[:2] + unheard[:2]
    return ()


def _pick(test: Split, rate: int, source: str, name: str, cache: Path) -> tuple[Example, ...]:
    """Up to _SHOWN utterances of as many speakers, as wav files in the cache."""
    folder = cache / "examples"
    chosen: dict[Any, int] = {}
    for i, text in enumerate(test.y):
        if _SHOWN_WORDS[0] <= len(text.split()) <= _SHOWN_WORDS[1]:
            chosen.setdefault(test.gold[i]["speaker"], i)
    index = list(chosen.values())
    spread = index[:: max(1, len(index) // _SHOWN)][:_SHOWN]
    found = []
    for number, i in enumerate(spread, 1):
        file = folder / f"{name}-real-{number}.wav"
        _keep(file, partial(_write, waveform=test.x[i], rate=rate))
        found.append(Example(test.y[i].capitalize(), str(file), test.y[i], f"{source} ({test.gold[i]['speaker']})"))
    return tuple(found)


def _write(file: Path, waveform: Floats, rate: int) -> None:
    soundfile.write(file, waveform, rate, format="WAV", subtype="PCM_16")


def _keep(file: Path, write: Callable[[Path], object]) -> None:
    """Written aside and renamed.

    Raises:
        UserError: the cache cannot be written.
    """
    try:
        with replacing(file) as aside:
            write(aside)
    except OSError as error:
        raise UserError(f"{file.parent} cannot be written ({error.strerror}): set CROSSOVER_CACHE.") from error


def main() -> None:
    """Make the committed clips again, in precomputed/speech/examples."""
    from engines.cases.speech.espeak import Espeak
    from engines.cases.speech.render import record, speak

    folder = Path(__file__).parents[3] / "precomputed" / "speech" / "examples"
    folder.mkdir(parents=True, exist_ok=True)
    speaker = Espeak()
    for slug, clips in SYNTHETIC.items():
        for number, (text, accent, variant) in enumerate(clips, 1):
            plan = Plan(
                text=text,
                accent=accent,
                variant=variant,
                words_a_minute=150,
                pitch=50,
                pitch_range=50,
                level=3,
                noise="pink",
                snr=25,
                reverb=0.2,
                direct=10,
                samples=round(RATE * (0.5 + 0.4 * len(text.split()))),
                seed=number,
            )
            speech = record(plan, speak(speaker, plan), [])
            file = folder / f"{slug}-{number}.ogg"
            soundfile.write(file, speech, RATE, format="OGG", subtype="OPUS")
            print(f"{file.name}: {file.stat().st_size} bytes, {len(speech) / RATE:.1f} s")


if __name__ == "__main__":
    main()
