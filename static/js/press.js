// What is pressed stays under the finger: a part of the page that is swapped between press and release would lose the click.
"use strict";

const press = (() => {
  // Longer than that nobody presses: it is a sleeve that lies on the screen.
  const LONGEST_MS = 10000;
  let pressed = null;
  let pressedAt = 0;
  const waiting = new Map();

  const holds = (place) => Boolean(pressed) && place.contains(pressed) && Date.now() - pressedAt < LONGEST_MS;

  // Swaps a part in now, or as soon as nothing in it is pressed any more; of several swaps the last one.
  function swap(place, act) {
    if (holds(place)) waiting.set(place, act);
    else act();
  }

  function released() {
    pressed = null;
    // The click comes right after the release.
    setTimeout(() => {
      if (pressed) return;
      const acts = [...waiting.values()];
      waiting.clear();
      acts.forEach((act) => act());
    });
  }

  addEventListener("pointerdown", (event) => {
    pressed = event.target;
    pressedAt = Date.now();
  }, { capture: true, passive: true });
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, released, { capture: true, passive: true });
  // The window's own: what had the focus before loses it at every press.
  addEventListener("blur", released);
  return { holds, swap };
})();
