"""The declared figures and the notes of follow-up (``knowledge/follow.yaml``)."""

from __future__ import annotations

from functools import cache

import msgspec

from her2crc.criteria.library import KNOWLEDGE_DIR, Settings
from her2crc.errors import UsageError
from her2crc.model.citation import Citation


class Resistance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Genes whose variants can make a treatment fail, and what is said when one is first reported."""

    id: str
    genes: frozenset[str]
    text: str
    confidence: str
    cite: tuple[Citation, ...]


class FollowNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence of follow-up; ``text`` names in braces what is filled in."""

    id: str
    text: str
    cite: tuple[Citation, ...]


class FollowFigures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    label: str
    label_cite: tuple[Citation, ...]
    level: float
    steady_fraction: float
    trend_days: int
    fewest_for_trend: int
    resistance: tuple[Resistance, ...]
    notes: tuple[FollowNote, ...]

    def note(self, id: str) -> FollowNote:
        """Return one note."""
        return next(item for item in self.notes if item.id == id)


class Noise(msgspec.Struct, frozen=True):
    """Relative standard deviations of the assay, and whether they are the assay's own.

    ``floor``: the tumour fraction below which no plasma rule decides on copies, for noise outweighs them (None: none).
    """

    copies_cv: float
    fraction_cv: float
    basis: str
    floor: float | None = None


def assay_noise(
    copies_cv: float | None, fraction_cv: float | None, settings: Settings, floor: float | None = None
) -> Noise:
    """Return the noise of an assay: as given, else as declared in the settings.

    Raises:
        UsageError: a coefficient of variation that cannot be.
    """
    for value in (copies_cv, fraction_cv):
        if value is not None and not 0 <= value < 1:
            raise UsageError("A coefficient of variation lies between 0 and 1.", fix="Write 0.05 for 5 %.")
    own = copies_cv is not None and fraction_cv is not None
    return Noise(
        float(settings.copies_cv) if copies_cv is None else copies_cv,
        float(settings.fraction_cv) if fraction_cv is None else fraction_cv,
        "given with the command" if own else settings.cv_basis,
        floor,
    )


class Yardstick(msgspec.Struct, frozen=True):
    """What the readings of a patient are held against.

    ``cut``: the lowest cut of a plasma rule on copies; ``assays``: the assay of each specimen. None is not known.
    """

    cut: float | None
    assays: dict[str, str | None]
    noise: Noise
    figures: FollowFigures


@cache
def follow_figures() -> FollowFigures:
    """Return the figures.

    Raises:
        KnowledgeError: the file is not as it must be.
    """
    from her2crc.criteria.strict_yaml import load_strict  # reads YAML: only who is followed needs it

    return load_strict(KNOWLEDGE_DIR / "follow.yaml", FollowFigures)
