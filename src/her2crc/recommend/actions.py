"""What can be acted on: each regimen under its own trial's or label's conditions, with counted evidence."""

from __future__ import annotations

from her2crc.criteria.library import ActionCondition, ActionRule, Figure, Knowledge
from her2crc.criteria.run import Facts, evaluate, unknown_fields
from her2crc.model.verdict import Action, Condition, Evidence


def recommend_actions(facts: Facts, knowledge: Knowledge) -> tuple[Action, ...]:
    """Return every regimen; ``fits`` is true, false, or None where a condition is unknown.

    Args:
        facts: the patient-level facts together with the judged ones (set statuses, highest score).
        knowledge: the regimens of the day.
    """
    return tuple(_action(rule, facts, knowledge) for rule in knowledge.actions)


def _action(rule: ActionRule, facts: Facts, knowledge: Knowledge) -> Action:
    conditions = tuple(_condition(item, facts) for item in rule.conditions)
    return Action(
        id=rule.id,
        regimen=rule.regimen,
        setting=rule.setting,
        fits=_fits(conditions),
        why=_why(conditions),
        conditions=conditions,
        evidence=(
            *(_counted(name, knowledge) for name in rule.evidence if _known(name, knowledge)),
            *map(_figure, rule.figures),
        ),
        approvals=rule.approvals,
        confidence=rule.confidence,
        review_state=rule.review_state,
        cite=rule.cite,
    )


def _condition(item: ActionCondition, facts: Facts) -> Condition:
    return Condition(item.text, evaluate(item.when, facts), unknown_fields(item.when, facts))


def _fits(conditions: tuple[Condition, ...]) -> bool | None:
    met = [condition.met for condition in conditions]
    if False in met:
        return False
    return None if None in met else True


def _why(conditions: tuple[Condition, ...]) -> str:
    parts = []
    for label, value in (("not met", False), ("unknown", None), ("met", True)):
        texts = [condition.text for condition in conditions if condition.met is value]
        if texts:
            parts.append(f"{label}: {'; '.join(texts)}")
    return ". ".join(parts) + "."


def _known(name: str, knowledge: Knowledge) -> bool:
    """Tell whether a figure was published by the day of this knowledge."""
    return name in knowledge.proportions or name in knowledge.rates


def _counted(name: str, knowledge: Knowledge) -> Evidence:
    if name in knowledge.rates:
        rate = knowledge.rates[name]
        return Evidence(name, rate.label, f"{rate.percent} %", rate.cite, interval=rate.interval, note=rate.note)
    counted = knowledge.proportions[name]
    return Evidence(
        id=name,
        label=counted.label,
        value=f"{counted.percent} %",
        cite=counted.cite,
        events=counted.events,
        total=counted.total,
        interval=counted.interval,
        inferred=counted.inferred,
        note=counted.note,
    )


def _figure(figure: Figure) -> Evidence:
    return Evidence(figure.id, figure.label, figure.value, figure.cite)
