"""What a reader of counted signals must keep in mind, and the rules on how many nuclei to count; the words are data."""

from __future__ import annotations

from collections.abc import Iterator

from her2crc.frontends.ish.values import Counting
from her2crc.measure.ish_figures import Figures
from her2crc.measure.ish_numbers import Counted, Numbers, same_nuclei
from her2crc.measure.ish_values import CountingRule
from her2crc.model.verdict import Caveat

MOST_PLACES = 8


def caveats_of(
    counting: Counting, counted: Counted, numbers: Numbers, observers: str, figure: Figures
) -> tuple[Caveat, ...]:
    """Return the notes that hold of a specimen; ``observers`` says how they differ, empty where they do not."""
    return tuple(
        Caveat(id, figure.note(id).text.format(**filled), figure.note(id).cite, counting.specimen_id)
        for id, filled in _holding(counting, counted, numbers, observers, figure)
    )


def _holding(
    counting: Counting, counted: Counted, numbers: Numbers, observers: str, figure: Figures
) -> Iterator[tuple[str, dict[str, object]]]:
    ratio, copies = numbers.ratio, numbers.her2_copies
    if counted.cep17 is None:
        yield "single_probe", {}
    if ratio and copies and ratio.value < figure.ratio_low and copies.value >= figure.copies_high:
        yield "polysomy_or_coamplified", {"ratio": f"{ratio.value:.2f}", "copies": f"{copies.value:.1f}"}
    if counting.totals:
        yield "totals_only", {}
    share = numbers.amplified_nuclei
    if counting.nuclei and share and 0 < share.events < min(figure.few_amplified, share.total):
        yield "few_amplified", {"count": share.events}
    without = sum(item.cep17 == 0 for item in counting.nuclei)
    if counted.cep17 == 0:
        yield "no_control", {}
    elif without:
        yield "no_control_in_nucleus", {"count": without}
    if counting.left_out:
        shown = ", ".join(counting.left_out[:MOST_PLACES])
        more = len(counting.left_out) - MOST_PLACES
        yield "left_out", {"count": len(counting.left_out), "places": f"{shown} and {more} more" if more > 0 else shown}
    if any(len(items) > 1 for items in same_nuclei(counting.nuclei).values()):
        yield "same_nuclei", {}
    if observers:
        yield "observers_differ", {"which": observers}


def counting_rules(counting: Counting, figure: Figures) -> tuple[CountingRule, ...]:
    """Return what is published on how many nuclei to count, met or not, for each organ."""
    each: dict[str, int] = {}
    for item in counting.nuclei:
        each[item.observer] = each.get(item.observer, 0) + 1
    for total in counting.totals:
        each[total.observer] = each.get(total.observer, 0) + (total.nuclei or 0)
    most, second, *_ = *sorted(each.values(), reverse=True), 0, 0
    stated = all(total.nuclei is not None for total in counting.totals)
    return tuple(
        CountingRule(
            rule.tumour,
            _met(most, rule.nuclei, stated=stated),
            _met(second, rule.second_observer, stated=stated),
            rule.text,
            rule.confidence,
            rule.cite,
        )
        for rule in figure.counting_rules
    )


def _met(counted: int, nuclei: int | None, *, stated: bool) -> bool | None:
    """Whether an observer counted so many; not known where a rule or the totals give no number."""
    return counted >= nuclei if nuclei is not None and stated else None
