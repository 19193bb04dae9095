// A station is scanned at: a hand scanner types into the field, the camera fills it in, a photo is read here or on the server.
"use strict";

(() => {
  const form = document.querySelector("[data-station-photo]");
  if (!form) return;
  const code = document.querySelector("[name=code]");
  const says = form.querySelector("[data-scanned]");
  const camera = form.querySelector("[data-camera]");
  const words = JSON.parse(document.getElementById("camera-words").textContent);

  const open = (text) => {
    code.value = text;
    code.form.requestSubmit();
  };

  operateScan.prepare(form.dataset.wasm);
  // Typed by a scanner while nothing, or a button, has the focus.
  operateScan.wedge(open);
  camera.hidden = !navigator.mediaDevices;
  camera.addEventListener("click", async () => {
    if (operateScan.isLooking()) {
      operateScan.stop();
      return;
    }
    says.textContent = "";
    try {
      await operateScan.look(form.querySelector("[data-video]"), open);
    } catch (why) {
      says.textContent = words[operateScan.whyNot(why)];
    }
  });
  // Read here if the tablet can; the form takes it to the server otherwise.
  form.querySelector("[data-photo]").addEventListener("change", async (event) => {
    const [photo] = event.target.files;
    if (!photo) return;
    says.textContent = form.dataset.wordReading;
    const text = await operateScan.read(photo).catch(() => "");
    if (text) open(text);
    else form.requestSubmit();
  });
})();
