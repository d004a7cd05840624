"""espeak-ng, called as a library: text to speech, and text to phonemes.

The PyPI package espeakng-loader carries the library and its voices (GPL-3.0-or-later). It is an optional extra and is
used only to make data, always in a process of its own (see render.py).

`python -m engines.cases.speech.espeak` prints the pronunciation table of the commands task, pronunciations.tsv.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import re

import numpy as np

from engines.cases.speech.grammar import vocabulary
from engines.core import Floats, UserError

ACCENTS = (
    "en-us",
    "en-us-nyc",
    "en-gb",
    "en-gb-x-rp",
    "en-gb-scotland",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-029",
)
SLOWEST, FASTEST = 80, 450
# speak_lib.h: AUDIO_OUTPUT_SYNCHRONOUS, espeakCHARS_UTF8, espeakRATE, espeakPITCH, espeakRANGE, espeakPHONEMES_IPA
_SYNCHRONOUS, _UTF8, _RATE, _PITCH, _RANGE, _IPA = 2, 1, 1, 3, 4, 2
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def installed() -> bool:
    return importlib.util.find_spec("espeakng_loader") is not None


class Espeak:
    """One speaking library; it keeps its state in global variables, so make one a process.

    Raises:
        UserError: the package that carries espeak-ng is not installed.
    """

    def __init__(self) -> None:
        if not installed():
            raise UserError("Synthetic commands are voiced by espeak-ng: run `pip install espeakng-loader` first.")
        loader = importlib.import_module("espeakng_loader")
        self._library = ctypes.CDLL(loader.get_library_path())
        # samples a second of what it speaks
        self.rate: int = self._library.espeak_Initialize(_SYNCHRONOUS, 0, loader.get_data_path().encode(), 0)
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._chunks: list[bytes] = []
        self._callback = _CALLBACK(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples: ctypes._Pointer[ctypes.c_short], count: int, events: int) -> int:
        if count > 0:
            self._chunks.append(ctypes.string_at(samples, 2 * count))
        return 0

    def seed(self, number: int) -> None:
        """Breath and roughness are random, and seeded with the time of day unless told otherwise."""
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(number))

    def voice(self, name: str) -> None:
        """Choose a voice: an accent, with a variant if wanted: "en-gb+f2"."""
        name = name.replace("en-gb+", "en+") if name.startswith("en-gb+") else name
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {name!r}")

    def say(self, text: str, words_a_minute: int, pitch: int, pitch_range: int) -> Floats:
        """Speech, float32 in [-1, 1], shape (samples,), without the silence around it. Pitch and its range: 0-99."""
        self._chunks.clear()
        for parameter, value in ((_RATE, words_a_minute), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        spoken = text.lower().encode()
        self._library.espeak_Synth(spoken, len(spoken) + 1, 0, 0, 0, _UTF8, None, None)
        samples = np.frombuffer(b"".join(self._chunks), np.int16).astype(np.float32) / 32768
        loud = np.flatnonzero(np.abs(samples) > 0.005)
        trimmed: Floats = samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]
        return trimmed

    def ipa(self, text: str) -> str:
        pointer = ctypes.c_char_p(text.lower().encode())
        found: bytes = self._library.espeak_TextToPhonemes(ctypes.byref(pointer), _UTF8, _IPA)
        return found.decode()


# The International Phonetic Alphabet, as espeak-ng writes English in it, to ARPAbet; longest first.
_ARPABET = {
    "tʃ": "CH", "dʒ": "JH", "eɪ": "EY", "eː": "EY", "er": "EH R", "aɪ": "AY", "ɔɪ": "OY", "oɪ": "OY", "aʊ": "AW",
    "æʊ": "AW", "ʌʉ": "AW", "oʊ": "OW", "əʊ": "OW", "ʌʊ": "OW", "oː": "OW", "əu": "UW", "uː": "UW", "ʉː": "UW",
    "iː": "IY", "ei": "IY", "ɑː": "AA", "aː": "AA", "a:": "AA", "aa": "AA", "ɔː": "AO", "ɜː": "ER", "ʌɹ": "ER",
    "əɪ": "ER", "eə": "EH", "ɛə": "AE", "iə": "IY AH", "oə": "AO", "ɔə": "AO", "ɑə": "AA",
    "t̪": "TH", "a": "AE", "æ": "AE", "ɐ": "AH", "ʌ": "AH", "ə": "AH", "ɚ": "ER", "ɜ": "ER", "ɛ": "EH", "e": "IY",
    "i": "IY", "ɪ": "IH", "ᵻ": "IH", "ɒ": "AO", "ɔ": "AO", "ɑ": "AA", "o": "AO", "ʊ": "UH", "ʉ": "UH", "u": "UW",
    "b": "B", "d": "D", "f": "F", "ɡ": "G", "h": "HH", "j": "Y", "k": "K", "l": "L", "m": "M", "n": "N", "ŋ": "NG",
    "p": "P", "r": "R", "ɹ": "R", "ɾ": "T", "s": "S", "ʃ": "SH", "t": "T", "θ": "TH", "v": "V", "w": "W", "ʍ": "W",
    "z": "Z", "ʒ": "ZH", "ð": "DH",
}  # fmt: skip
_SYMBOL = re.compile("|".join(sorted(map(re.escape, _ARPABET), key=len, reverse=True)))


def arpabet(ipa: str) -> tuple[str, ...]:
    """ARPAbet phones of what espeak-ng calls a word's pronunciation; stress is dropped.

    Raises:
        ValueError: a symbol is not known.
    """
    plain = re.sub("[ˈˌʲ]", "", ipa)
    if rest := _SYMBOL.sub("", plain).replace("ː", ""):
        raise ValueError(f"no ARPAbet for {rest!r} in {ipa!r}")
    return tuple(" ".join(_ARPABET[symbol] for symbol in _SYMBOL.findall(plain)).split())


def main() -> None:
    """Print the pronunciation of every word in every accent, a tab between columns."""
    speaker = Espeak()
    print("word", *ACCENTS, sep="\t")
    columns = []
    for accent in ACCENTS:
        speaker.voice(f"{accent}+m1")
        columns.append([" ".join(arpabet(speaker.ipa(word))) for word in vocabulary()])
    for word, *pronunciations in zip(vocabulary(), *columns, strict=True):
        print(word, *pronunciations, sep="\t")


if __name__ == "__main__":
    main()
