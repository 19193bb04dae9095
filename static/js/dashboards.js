// Keeps a dashboard's tiles fresh: fetches them all anew every so many seconds and swaps in those that changed.
"use strict";

(() => {
  const page = document.querySelector("[data-dashboard]");
  const every = Number(page.dataset.refresh) * 1000;
  const cut = page.querySelector("[data-cut]");
  const known = page.querySelector("[data-known]");
  const shown = new Map();

  async function refresh() {
    let answer;
    try {
      const response = await fetch(page.dataset.tiles);
      if (response.redirected || response.status === 403 || response.status === 404) return window.location.reload();
      if (!response.ok) throw new Error();
      answer = await response.json();
    } catch {
      cut.hidden = false;
      return undefined;
    }
    cut.hidden = true;
    known.textContent = answer.known;
    for (const { id, html } of answer.tiles) {
      const tile = page.querySelector(`[data-tile="${id}"]`);
      // What somebody is in the middle of stays until they leave it.
      if (!tile || shown.get(id) === html || tile.contains(document.activeElement)) continue;
      press.swap(tile, () => {
        const open = [...tile.querySelectorAll("details")].map((one) => one.open);
        tile.innerHTML = html;
        tile.querySelectorAll("details").forEach((one, place) => { one.open = open[place] ?? false; });
        tile.dispatchEvent(new Event("charts:draw", { bubbles: true }));
        shown.set(id, html);
      });
    }
    return undefined;
  }
  setInterval(() => { if (!document.hidden) refresh(); }, every);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
})();
