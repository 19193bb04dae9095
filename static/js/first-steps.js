// Look again every few seconds, so that a step that was done elsewhere, or by a device, ticks itself off.
(() => {
  const place = document.querySelector("[data-first-steps]");
  if (!place) return;
  const look = async () => {
    if (!place.querySelector('[data-done="no"]')) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok && !answer.redirected) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelector("[data-first-steps]");
        const state = (of) => [...of.querySelectorAll("[data-done]")].map((one) => one.dataset.done).join();
        // Replaced only when something changed: whoever selects the command to copy keeps the selection.
        if (fresh && state(fresh) !== state(place)) place.replaceChildren(...fresh.childNodes);
      }
    } catch {
      // The next look finds the server again.
    }
    setTimeout(look, 4000);
  };
  setTimeout(look, 4000);
})();
