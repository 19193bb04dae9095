// The board across the hall: turns its pages where the lines do not fit, keeps the calls and the clock right.
"use strict";

(() => {
  const page = document.querySelector("[data-board]");
  if (!page) return;
  const TURN_MS = 12000;
  const CALLS_MS = 5000;
  const lines = page.querySelector("[data-lines]");
  const calls = page.querySelector("[data-calls]");
  const number = page.querySelector("[data-page]");
  const clock = page.querySelector("[data-clock]");
  let shown = 0;

  function layOut() {
    const slots = [...lines.children];
    if (!slots.length) return;
    slots.forEach((slot) => { slot.hidden = false; });
    const room = window.innerHeight - lines.getBoundingClientRect().top - 40;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const least = parseFloat(getComputedStyle(lines).getPropertyValue("--least-row")) * rem;
    const fit = Math.max(1, Math.min(slots.length, Math.floor(room / (least + 10))));
    const pages = Math.ceil(slots.length / fit);
    // Evenly, so that the last page is not a single line.
    const each = Math.ceil(slots.length / pages);
    shown = ((shown % pages) + pages) % pages;
    slots.forEach((slot, place) => { slot.hidden = Math.floor(place / each) !== shown; });
    lines.style.setProperty("--rows", each);
    lines.style.height = `${room}px`;
    number.textContent = pages > 1 ? `${shown + 1} / ${pages}` : "";
  }

  async function refreshCalls() {
    try {
      const separator = page.dataset.liveFragments.includes("?") ? "&" : "?";
      const response = await fetch(`${page.dataset.liveFragments}${separator}only=calls`, { headers: { Accept: "application/json" } });
      if (!response.ok || response.redirected) return;
      const { calls: html } = await response.json();
      if (calls.dataset.shown !== html) {
        calls.dataset.shown = html;
        calls.innerHTML = html;
        layOut();
      }
    } catch {
      // live.js says that the connection is lost.
    }
  }

  function tick() {
    clock.textContent = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: page.dataset.zone });
  }

  setInterval(() => { shown += 1; layOut(); }, TURN_MS);
  setInterval(refreshCalls, CALLS_MS);
  setInterval(tick, 1000);
  window.addEventListener("resize", layOut);
  tick();
  layOut();
})();
