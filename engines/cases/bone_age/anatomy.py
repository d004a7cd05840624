"""What the bones of the hand are called, in the order that tables and masks use."""

from __future__ import annotations

METACARPALS = tuple(f"MC{finger}" for finger in range(1, 6))
PROXIMAL = tuple(f"PP{finger}" for finger in range(1, 6))
MIDDLE = tuple(f"MP{finger}" for finger in range(2, 6))
DISTAL = tuple(f"DP{finger}" for finger in range(1, 6))
# The 19 long bones of the hand, fingers counted from the thumb.
LONG = METACARPALS + PROXIMAL + MIDDLE + DISTAL
FOREARM = ("radius", "ulna")
TUBULAR = LONG + FOREARM
CARPALS = ("capitate", "hamate", "triquetrum", "lunate", "scaphoid", "trapezium", "trapezoid", "pisiform")
BONES = TUBULAR + CARPALS

# What a pixel of a mask stands for: no bone, the shaft of a tubular bone with what is fused to it, a carpal, and then
# the epiphysis of a tubular bone where it is still apart.
LABELS = ("background", *BONES, *(f"{bone} epiphysis" for bone in TUBULAR))
EPIPHYSIS = 1 + len(BONES)  # label of the first epiphysis

ROWS = ("distal phalanx", "middle phalanx", "proximal phalanx", "metacarpal", "carpal", "radius", "ulna")


def row_of(bone: str) -> int:
    """Which of ROWS a bone belongs to."""
    by_letters = {"DP": 0, "MP": 1, "PP": 2, "MC": 3}
    if bone in CARPALS:
        return 4
    return {"radius": 5, "ulna": 6}.get(bone, by_letters.get(bone[:2], 0))


def finger_of(bone: str) -> int:
    """1 (thumb) to 5, or 0 where a bone belongs to no finger."""
    return int(bone[-1]) if bone in LONG else 0
