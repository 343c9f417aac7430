"""A measurement of counted signals, set in lines for a person."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from her2crc.measure.ish_values import IshMeasurement, IshRule, Number, Part, Share
from her2crc.measure.rules import RuleChance
from her2crc.model.citation import Citation
from her2crc.model.record import Issue

WIDTH = 110
OUTCOME = {"met": "met", "not_met": "not met", "cannot_decide": "cannot decide"}


def ish_text(found: IshMeasurement) -> str:
    """Return the report of one specimen."""
    level = f"{100 * found.certainty:.0f} %"
    lines = [f"{found.patient_id}, {found.specimen_id}: HER2 in situ hybridisation", ""]
    lines += _counts(found)
    lines += ["", f"Numbers, with {level} intervals ({found.method})", *_numbers(found), ""]
    lines += [f"Rules (settled from {level} on)", *_rules(found.rules), ""]
    for title, parts in (("Regions", found.regions), ("Observers", found.observers)):
        lines += [title, *map(_part, parts), ""] if parts else []
    if found.observers_agree is False:
        lines += ["The observers do not agree.", ""]
    lines += ["How many nuclei", *_counting(found), ""]
    if found.spread:
        five = " / ".join(f"{value:.1f}" for value in found.spread.ratios)
        lines += ["Heterogeneity", *_wrap(found.spread.text), f"  ratio of a nucleus, lowest to highest: {five}", ""]
    lines += ["Keep in mind"] if found.caveats or found.issues else []
    for caveat in found.caveats:
        lines += _wrap(f"{caveat.text}{show_cites(caveat.cite)}")
    for issue in found.issues:
        lines += _wrap(show_issue(issue))
    return "\n".join(lines).rstrip() + "\n"


def _counts(found: IshMeasurement) -> Iterator[str]:
    nuclei = "an unstated number of nuclei" if found.nuclei is None else f"{found.nuclei} nuclei"
    nuclei = "1 nucleus" if found.nuclei == 1 else nuclei
    control = "one probe" if found.cep17_signals is None else f"{found.cep17_signals} CEP17 signals"
    yield f"Counted: {found.her2_signals} HER2 signals, {control}, in {nuclei} ({found.source})."


def _numbers(found: IshMeasurement) -> Iterator[str]:
    for name, number in (
        ("HER2/CEP17 ratio", found.ratio),
        ("HER2 copies per nucleus", found.her2_copies),
        ("CEP17 copies per nucleus", found.cep17_copies),
    ):
        yield f"  {name:<27}{_number(number)}"
    yield f"  {'nuclei with a ratio >= 2':<27}{_share(found.amplified_nuclei)}"


def _number(number: Number | None) -> str:
    if number is None:
        return "not known"
    span = f"{number.interval[0]:.2f} to {number.interval[1]:.2f}" if number.interval else "no interval"
    return f"{number.value:.2f}  ({span})  exactly {number.exact}"


def _share(share: Share | None) -> str:
    if share is None:
        return "not known"
    low, high = share.interval
    return f"{share.percent:.0f} %  ({low:.0f} to {high:.0f} %)  {share.events} of {share.total}"


def _rules(rules: Iterable[IshRule]) -> Iterator[str]:
    rules = list(rules)
    if not rules:
        yield "  With one nucleus, or without their number, no rule's chance can be given."
        yield "  `her2crc assess` judges the counts all the same (--format specimens)."
        return
    assumed = next((rule.assumed for rule in rules if rule.assumed), {})
    if assumed:
        yield "  Staining is not given. Marked *: what the rule would say of staining of 2+ in all tumour cells."
    for rule in rules:
        mark = "*" if rule.assumed else " "
        more = "" if rule.settled else f"; {_more(rule.more_nuclei)}"
        contrast = " (rule of another organ)" if rule.role == "contrast" else ""
        text = f"{show_outcome(rule)}; counts as they are: {rule.exact_status}{more}{contrast}"
        yield from _wrap(f"{rule.set}{mark}: {text}{show_cites(rule.cite)}")


def show_issue(issue: Issue) -> str:
    """Write a problem of the input, with its place where it has one."""
    return f"{issue.level}: {issue.text}{f' ({issue.place})' if issue.place else ''}"


def show_outcome(rule: RuleChance) -> str:
    """Write what a rule says and how sure that is; where it cannot decide, the chance of each verdict."""
    if rule.outcome != "cannot_decide":
        return f"{OUTCOME[rule.outcome]}, {show_chance(rule.probability)} sure"
    chances = {status.replace("_", " "): show_chance(chance) for status, chance in rule.chances.items()}
    likely = {status: shown for status, shown in chances.items() if shown != show_chance(0)}
    if len(likely) == 1:
        return f"{OUTCOME[rule.outcome]} ({next(iter(likely))})"
    return f"{OUTCOME[rule.outcome]} ({', '.join(f'{status} {shown}' for status, shown in likely.items())})"


def show_chance(chance: float) -> str:
    """Write a chance in percent; near certainty is not certainty."""
    shown = round(chance, 2)
    if shown in (0, 1):
        return "> 99 %" if round(chance) else "< 1 %"
    return f"{100 * chance:.0f} %"


def _more(nuclei: int | None) -> str:
    return "no countable number of further nuclei settles it" if nuclei is None else f"about {nuclei} more nuclei"


def _part(part: Part) -> str:
    nuclei = "?" if part.nuclei is None else part.nuclei
    return (
        f"  {part.name}: {nuclei} nuclei, ratio {_number(part.ratio)}; amplified nuclei {_share(part.amplified_nuclei)}"
    )


def _counting(found: IshMeasurement) -> Iterator[str]:
    for rule in found.counting_rules:
        met = {True: " Reached here", False: " Not reached here", None: ""}[rule.met]
        second = {True: " and by a second observer", False: "; not by a second observer", None: ""}
        both = f"{met}{second[rule.second_observer_met] if rule.met else ''}{'.' if met else ''}"
        yield from _wrap(f"{rule.tumour}: {rule.text}{both}{show_cites(rule.cite)}")


def show_cites(cite: Iterable[Citation]) -> str:
    """Write the names of references in brackets."""
    names = ", ".join(dict.fromkeys(item.ref for item in cite))
    return f" [{names}]" if names else ""


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
