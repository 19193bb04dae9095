// Fetches the panels that take longer, once the page is there. Without it, a link leads to them.
"use strict";

(() => {
  const place = document.querySelector("[data-panels]");
  if (!place) return;
  fetch(place.dataset.panels, { headers: { Accept: "text/html" } })
    .then((response) => (response.ok && !response.redirected ? response.text() : null))
    .then((html) => {
      if (html !== null) place.innerHTML = html;
    })
    .catch(() => undefined);
})();
