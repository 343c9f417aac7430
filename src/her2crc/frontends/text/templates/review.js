"use strict";
(() => {
  const all = (root, selector) => [...root.querySelectorAll(selector)];
  for (const part of all(document, "fieldset, .save, .edit")) part.hidden = false;
  const inputs = card => all(card, "[data-field]");
  const chosen = card => card.querySelector("input[type=radio]:checked")?.value;
  const parsed = (input, text) => {
    if (text.trim() === "") return null;
    if (!("number" in input.dataset)) return text.trim();
    const number = Number(text.trim().replace(",", "."));
    if (!Number.isFinite(number) || number < 0) throw input;
    return number;
  };
  const changes = card => inputs(card)
    .map(input => ({ field: input.dataset.field, was: parsed(input, input.dataset.was), value: parsed(input, input.value) }))
    .filter(change => change.was !== change.value);
  const decided = () => all(document, ".card").filter(chosen);
  const say = text => { document.getElementById("said").textContent = text; };
  const count = () => say(`${decided().length} of ${all(document, ".card").length} findings decided.`);
  document.addEventListener("input", event => {
    const card = event.target.closest(".card");
    if (!card) return;
    if (event.target.dataset.field) {
      event.target.removeAttribute("aria-invalid");
      card.querySelector("input[value=change]").checked = true;
    }
    card.classList.toggle("rejected", chosen(card) === "reject");
    count();
  });
  const decision = card => {
    const found = chosen(card) === "change" ? changes(card) : [];
    const word = chosen(card) === "change" && !found.length ? "accept" : chosen(card);
    return { finding: card.dataset.finding, decision: word, changes: found };
  };
  const collected = () => ({
    her2crc_corrections: Number(document.body.dataset.version),
    reports: all(document, "article")
      .map(report => ({
        report_id: report.dataset.report,
        text_sha256: report.dataset.sha256,
        decisions: all(report, ".card").filter(chosen).map(decision),
      }))
      .filter(report => report.decisions.length),
  });
  window.her2crcCorrections = collected;
  document.getElementById("save").addEventListener("click", () => {
    let content;
    try {
      content = JSON.stringify(collected(), null, 2);
    } catch (input) {
      input.setAttribute("aria-invalid", "true");
      input.focus();
      say("This value is not a number: set it right first.");
      return;
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: "application/json" }));
    link.download = "corrections.json";
    link.click();
    URL.revokeObjectURL(link.href);
    say(`Saved ${decided().length} decision(s) as corrections.json.`);
  });
  count();
})();
