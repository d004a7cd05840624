"""Text analysis: normalise, split into sentences, tokenise, truecase, and back to running text.

The rules are Moses's (Koehn et al. 2007) where they matter for English, French and German: punctuation stands alone,
French and Italian-style elisions (l', d', qu') end with their apostrophe, English clitics ('s, n't) begin with theirs,
numbers and hyphenated words stay whole. No letter of any script is dropped.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_PLAIN = {"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "…": "..."}
_QUOTES = str.maketrans(_PLAIN)
# A URL or address, a number with its separators, an ellipsis, a word (hyphens and apostrophes inside), a flag (two
# letters of their own), a picture with its skin and those that are joined to it, anything else.
# Python's \\w leaves out the marks that belong to a letter of many scripts, and what joins letters.
_MARKS = "".join(re.escape(c) for c in map(chr, range(0x300, 0x10000)) if unicodedata.category(c) in ("Mn", "Mc"))
_IN_WORD = rf"[\w\u200c\u200d{_MARKS}]"
_DRESS = "[\ufe0f\U0001f3fb-\U0001f3ff]*"
_NUMBER = r"\d+(?:[.,:/]\d+)*"
_TOKEN = re.compile(
    rf"https?://\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|{_NUMBER}|\.\.\.|"
    rf"[^\W\d_]{_IN_WORD}*(?:[-']{_IN_WORD}+)*'?|{_IN_WORD}+|"
    rf"[\U0001f1e6-\U0001f1ff]{{2}}|[^\w\s]{_DRESS}(?:\u200d[^\w\s]{_DRESS})*"
)
_CLITIC = re.compile(r"(?i)(.+?)(n't|'(?:s|re|ve|ll|d|m))$")
_ELISION = re.compile(r"(?i)((?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quelqu|quoiqu)')(.+)")
_WHOLE = frozenset(("aujourd'hui", "d'abord", "o'clock"))
_ENDED = r"(?:(?<=[.!?])|(?<=[.!?][\"')\]])|(?<=[.!?][\"')\]]{2}))"
_TITLES = "".join(rf"(?<!\b{title}\.)" for title in ("Mr", "Mrs", "Ms", "Dr", "St", "Prof", "Sr", "Jr"))
_END = re.compile(_ENDED + _TITLES + r"\s+(?=[\"'(\[]?[^\W\d_a-zß-öø-ÿ]|\d)|\n+")
_LEFT, _RIGHT = frozenset(".,;:!?)]}%..."), frozenset("([{")
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # overrides, embeddings, isolates
LONGEST = 60  # tokens: a longer sentence is translated in parts


def normalise(text: str) -> str:
    """One line of composed characters: quotes made plain, control characters dropped, those that turn the direction
    of the text round included."""
    composed = unicodedata.normalize("NFC", text).translate(_QUOTES)
    kept = (" " if c.isspace() else c for c in composed if c.isspace() or not _controls(c))
    return " ".join("".join(kept).split())


def _controls(c: str) -> bool:
    return unicodedata.category(c) in ("Cc", "Cs") or c in _TURNS


def sentences(text: str) -> list[str]:
    """The sentences of a text, each normalised; a line break ends one too."""
    lines = (normalise(part) for line in text.splitlines() for part in _END.split(line))
    return [line for line in lines if line]


def tokenise(text: str, language: str) -> list[str]:
    """Tokens of one normalised sentence."""
    tokens: list[str] = []
    for word in _TOKEN.findall(text):
        if "'" not in word or len(word) == 1 or word.lower() in _WHOLE:
            tokens.append(word)
        elif language == "en":
            tokens += _english(word)
        else:
            tokens += _elided(word) if language == "fr" else _quoted(word)
    return tokens


def _english(word: str) -> list[str]:
    tail: list[str] = []
    while match := _CLITIC.match(word):
        word, tail = match[1], [match[2], *tail]
    return [*_quoted(word), *tail]


def _elided(word: str) -> list[str]:
    head: list[str] = []
    while (match := _ELISION.match(word)) and word.lower() not in _WHOLE:
        head.append(match[1])
        word = match[2]
    if head and not word.endswith("'"):
        return [*head, word]
    return [*head, word] if _ELISION.fullmatch(word + "x") else [*head, *_quoted(word)]


def _quoted(word: str) -> list[str]:
    """An apostrophe at the end that belongs to no elision is a closing quote."""
    return [word[:-1], "'"] if word.endswith("'") and len(word) > 1 else [word]


def numeral(token: str) -> bool:
    """Whether a token is a number in digits: "3", "1,200", "7:30"."""
    return bool(re.fullmatch(_NUMBER, token))


def detokenise(tokens: Sequence[str], language: str) -> str:
    """Running text: the inverse of `tokenise` but for what spacing the input had round its punctuation."""
    text, glue, open_quote = "", True, False
    for token in tokens:
        opens = token in _RIGHT
        closes = token in _LEFT or (len(token) > 1 and set(token) == {"."})
        if token == '"':
            open_quote = not open_quote
            opens, closes = open_quote, not open_quote
        elif token == "'" or (language == "en" and token.lower() in ("n't", "'s", "'re", "'ve", "'ll", "'d", "'m")):
            closes = True
        text += token if glue or closes else " " + token
        glue = opens or (language == "fr" and len(token) > 1 and token.endswith("'"))
    return text


def parts(tokens: list[str]) -> list[list[str]]:
    """Pieces of at most LONGEST tokens, cut after punctuation where there is some in the second half."""
    cut: list[list[str]] = []
    while len(tokens) > LONGEST:
        marks = [i for i in range(LONGEST // 2, LONGEST) if tokens[i] in _LEFT]
        end = marks[-1] + 1 if marks else LONGEST
        cut.append(tokens[:end])
        tokens = tokens[end:]
    return [*cut, tokens] if tokens else cut


@dataclass(frozen=True)
class Truecaser:
    """Brings the first word of a sentence to the form it has elsewhere (Lita et al. 2003).

    forms: lower case -> the commonest form inside sentences, where that is not lower case itself.
    """

    forms: Mapping[str, str]

    @classmethod
    def fit(cls, corpus: Iterable[Sequence[str]]) -> Truecaser:
        seen: dict[str, Counter[str]] = defaultdict(Counter)
        for tokens in corpus:
            for token in tokens[1:]:
                seen[token.lower()][token] += 1
        best = {low: max(forms, key=lambda form: (forms[form], form)) for low, forms in seen.items()}
        return cls({low: form for low, form in sorted(best.items()) if form != low})

    def __call__(self, tokens: Sequence[str]) -> list[str]:
        """The first token that holds a letter is put into its usual form."""
        out = list(tokens)
        for i, token in enumerate(out):
            if token[0].isalpha():
                if not (len(token) > 1 and token.isupper()):  # acronyms stay
                    out[i] = self.forms.get(token.lower(), token.lower())
                break
            if token not in "\"'([{":
                break
        return out


def capitalised(text: str) -> str:
    """The first letter in upper case, as sentences begin."""
    for i, c in enumerate(text):
        if c.isalpha():
            return text[:i] + c.upper() + text[i + 1 :]
        if c not in "\"'([{ ":
            break
    return text


def translated(source: str, tokens: Sequence[str], language: str) -> str:
    """Target tokens as text, begun with a capital where the source was."""
    text = detokenise(tokens, language)
    first = next((c for c in source if c.isalpha()), "")
    return capitalised(text) if first.isupper() else text


@dataclass(frozen=True)
class Analysis:
    """What is learned about text from a budget: its languages, and how words are written inside sentences."""

    source: str = "en"
    target: str = "fr"
    source_case: Truecaser = field(default_factory=lambda: Truecaser({}))
    target_case: Truecaser = field(default_factory=lambda: Truecaser({}))

    @classmethod
    def fit(cls, pairs: Sequence[tuple[str, str]], languages: tuple[str, str]) -> Analysis:
        source, target = languages
        return cls(
            source,
            target,
            Truecaser.fit(tokenise(normalise(x), source) for x, _ in pairs),
            Truecaser.fit(tokenise(normalise(y), target) for _, y in pairs),
        )

    def read(self, text: str) -> tuple[tuple[str, ...], ...]:
        """The sentences (or parts of very long ones) of an input, tokenised and truecased."""
        return tuple(
            tuple(part)
            for sentence in sentences(text)
            for part in parts(self.source_case(tokenise(sentence, self.source)))
        )

    def source_tokens(self, text: str) -> list[str]:
        return self.source_case(tokenise(normalise(text), self.source))

    def target_tokens(self, text: str) -> list[str]:
        return self.target_case(tokenise(normalise(text), self.target))

    def write(self, source: str, found: Sequence[Sequence[str]]) -> str:
        """Target tokens, sentence by sentence, as text. A sentence, and a part of one that was too long, begins with a
        capital where the source text did."""
        return " ".join(translated(source, tokens, self.target) for tokens in found if tokens)

    def to_json(self) -> dict[str, object]:
        return {
            "source": self.source,
            "target": self.target,
            "source_case": dict(self.source_case.forms),
            "target_case": dict(self.target_case.forms),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, object]) -> Analysis:
        return cls(
            str(kept["source"]),
            str(kept["target"]),
            Truecaser(dict(kept["source_case"])),  # type: ignore[call-overload]
            Truecaser(dict(kept["target_case"])),  # type: ignore[call-overload]
        )
