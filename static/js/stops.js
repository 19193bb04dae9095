// Says how many stops are ticked, and dims reasons that are not offered at all of their machines. The form works without.
"use strict";

(() => {
  const form = document.querySelector("[data-stop-work]");
  if (!form) return;
  const count = form.querySelector("[data-chosen-count]");
  const picks = [...form.querySelectorAll("[data-machines]")];

  function update() {
    const chosen = [...form.querySelectorAll("input[name=stop]:checked")];
    const machines = new Set(chosen.map((box) => box.dataset.machine));
    if (count) count.textContent = chosen.length ? `(${chosen.length})` : "";
    form.classList.toggle("has-chosen", chosen.length > 0);
    picks.forEach((pick) => {
      const offered = new Set(pick.dataset.machines.split(" "));
      pick.disabled = [...machines].some((machine) => !offered.has(machine));
    });
  }

  form.addEventListener("change", update);
  window.addEventListener("pageshow", update);
  update();
})();
