// What is pressed stays under the finger: a part of the page that is swapped between press and release would lose the click.
"use strict";

const press = (() => {
  let pressed = null;
  const waiting = new Map();

  // Swaps a part in now, or as soon as nothing in it is pressed any more; of several swaps the last one.
  function swap(place, act) {
    if (pressed && place.contains(pressed)) waiting.set(place, act);
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

  addEventListener("pointerdown", (event) => { pressed = event.target; }, { capture: true, passive: true });
  for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, released, { capture: true, passive: true });
  return { swap };
})();
