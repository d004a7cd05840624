"""The grammar of the commands task: what the synthetic voices say.

A template is a line of words and slots in braces; a slot is filled with one of its choices, which may hold slots again.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SLOTS: dict[str, tuple[str, ...]] = {
    "unit": _words("one two three four five six seven eight nine"),
    "teen": _words("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"),
    "ten": _words("twenty thirty forty fifty sixty seventy eighty ninety"),
    "small": ("{unit}", "{unit}", "{teen}"),
    "number": ("{unit}", "{teen}", "{ten}", "{ten} {unit}", "{ten} {unit}", "{unit} hundred", "zero"),
    "digits": ("{digit} {digit} {digit}", "{digit} {digit} {digit} {digit}", "{digit} {digit}"),
    "digit": _words("zero one two three four five six seven eight nine"),
    "color": _words("red green blue yellow orange purple pink white black brown gray silver golden violet scarlet"),
    "room": _words("kitchen bedroom bathroom garden garage office hallway attic basement balcony cellar nursery"),
    "city": _words(
        "london paris berlin madrid rome vienna oslo dublin boston chicago denver seattle toronto sydney tokyo "
        "cairo lisbon warsaw houston memphis"
    ),
    "place": _words(
        "airport station museum library hospital hotel bakery harbor stadium theater market bridge castle "
        "school church park"
    ),
    "device": _words(
        "lamp fan heater oven radio television camera alarm printer kettle speaker screen fountain dishwasher "
        "vacuum freezer"
    ),
    "opening": _words("door window curtain gate drawer cupboard shutter"),
    "thing": _words(
        "cube ball cone cylinder pyramid block bottle plate spoon fork coin book basket hammer pencil candle "
        "mirror pillow"
    ),
    "food": _words("coffee tea milk bread butter cheese apples bananas sugar rice pasta pizza soup salad honey onions"),
    "person": _words(
        "anna peter maria john susan david laura thomas emma oliver sophie martin helen george julia victor"
    ),
    "music": _words("jazz rock opera blues folk techno piano violin guitar drum"),
    "day": _words("monday tuesday wednesday thursday friday saturday sunday"),
    "soon": ("today", "tomorrow", "tonight", "on {day}"),
    "month": _words("january february march april may june july august september october november december"),
    "time": ("{small}", "half past {small}", "noon", "midnight", "{small} thirty", "quarter to {small}"),
    "length": _words("seconds minutes hours days weeks"),
    "way": _words("left right up down forward backward"),
    "distance": _words("steps meters inches miles"),
    "how": _words("slowly quickly carefully again now later"),
    "relation": ("near", "behind", "under", "above", "beside", "between the {thing} and"),
    "handle": _words("lift drop rotate throw catch bring grab touch carry hide"),
    "change": _words("raise lower increase reduce"),
    "quality": _words("volume brightness temperature speed pressure"),
    "fact": ("weather", "news", "traffic", "forecast", "distance"),
    "any": (
        "{color}",
        "{room}",
        "{city}",
        "{place}",
        "{device}",
        "{thing}",
        "{food}",
        "{person}",
        "{digit}",
        "{music}",
        "{month}",
        "{way}",
        "{handle}",
        "{opening}",
        "{how}",
        "{day}",
    ),
}

TEMPLATES: tuple[str, ...] = (
    "turn on the {device} in the {room}",
    "turn off the {color} {device}",
    "switch the {room} {device} off at {time}",
    "switch on the {device} for {number} {length}",
    "set the {quality} of the {device} to {number}",
    "set the {room} heater to {number} degrees",
    "{change} the {quality} in the {room} by {number} percent",
    "{change} the {quality} to {number} percent",
    "open the {room} {opening} please",
    "close the {color} {opening} {how}",
    "lock the {opening} of the {place} at {time} on {day}",
    "move the {color} {thing} {number} {distance} {way}",
    "move {number} {distance} {way} and stop {relation} the {thing}",
    "{handle} the {color} {thing} {relation} the {color} {thing}",
    "{handle} the {thing} {how}",
    "put the {thing} {relation} the {device} and {handle} the {color} {thing}",
    "call {person}",
    "call {person} on {digits} {digits}",
    "send the {thing} to {person} in {city}",
    "tell {person} that the {place} opens at {time}",
    "remind me to call {person} {soon} at {time}",
    "meet {person} and {person} at the {place} on {month} {small}",
    "navigate to the {place} in {city}",
    "drive from {city} to {city} on {day}",
    "walk {number} {distance} {way} to the {place}",
    "find a {place} near the {place} in {city}",
    "show the {fact} for {city} on {month} {small}",
    "what is the {fact} in {city} {soon}",
    "play some {music} in the {room}",
    "play {music} for {person} at {time}",
    "add {food} and {food} to my list",
    "order {number} {food} for {person}",
    "bring {food} {food} and {food}",
    "wake me at {time} {soon}",
    "start the {device} in {number} {length}",
    "stop the {music} and start the {device}",
    "my code is {digits} {digits}",
    "dial {digits} {digit} {digits}",
    "password {any} {any} {any} {any}",
    "password {any} {any} {any} {any} {any}",
    "remember {any} {any} {any} and {any}",
    "note {any} {any} {any} {any} {any} {any}",
)

_SLOT = re.compile(r"\{(\w+)\}")


def draw(rng: np.random.Generator) -> str:
    """One command, upper-case words joined by single spaces."""
    text = TEMPLATES[rng.integers(len(TEMPLATES))]
    while (slot := _SLOT.search(text)) is not None:
        choices = SLOTS[slot[1]]
        text = text[: slot.start()] + choices[rng.integers(len(choices))] + text[slot.end() :]
    return text.upper()


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """Every word that a command can hold, sorted."""
    lines = [*TEMPLATES, *(choice for choices in SLOTS.values() for choice in choices)]
    return tuple(sorted({word.upper() for line in lines for word in _SLOT.sub(" ", line).split()}))
