// Codes: what a hand scanner types (a "keyboard wedge"), what the camera sees, what is in a photo.
"use strict";

const operateScan = (() => {
  const BETWEEN_MS = 100; // nobody types that fast, and no scanner that slowly
  const SHORTEST = 3;

  // Calls `found` with what was typed as fast as a scanner types, and ended with Enter, outside of a field.
  function wedge(found) {
    let typed = "";
    let last = 0;
    document.addEventListener(
      "keydown",
      (event) => {
        // When the key was pressed: a page that is busy hears of it later.
        if (event.timeStamp - last > BETWEEN_MS) typed = "";
        last = event.timeStamp;
        if (event.key === "Enter") {
          const code = typed;
          typed = "";
          if (code.length >= SHORTEST && !isField(event.target)) {
            event.preventDefault();
            event.stopPropagation();
            found(code);
          }
          return;
        }
        // Scanners send the separator of GS1 codes as F8 or Ctrl+].
        if (event.key === "F8" || (event.ctrlKey && event.key === "]")) typed += "\u001d";
        else if (event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey) typed += event.key;
      },
      true,
    );
  }

  const isField = (target) => target.matches && target.matches("input, textarea, select");

  function prepare(wasm) {
    ZXingWASM.prepareZXingModule({
      overrides: { locateFile: (path, prefix) => (path.endsWith(".wasm") ? wasm : prefix + path) },
    });
  }

  async function read(image) {
    const codes = await ZXingWASM.readBarcodes(image, { tryHarder: true, maxNumberOfSymbols: 1 });
    const code = codes.find((one) => one.isValid);
    return code ? code.text : "";
  }

  // Shows the camera until a code is seen; returns a function that ends it.
  async function camera(video, found) {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
    let goesOn = true;
    const end = () => {
      goesOn = false;
      stream.getTracks().forEach((track) => track.stop());
      video.srcObject = null;
      video.hidden = true;
    };
    video.srcObject = stream;
    video.hidden = false;
    await video.play();
    const canvas = document.createElement("canvas");
    const look = async () => {
      if (!goesOn) return;
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      if (canvas.width) {
        const context = canvas.getContext("2d", { willReadFrequently: true });
        context.drawImage(video, 0, 0);
        const code = await read(context.getImageData(0, 0, canvas.width, canvas.height)).catch(() => "");
        if (code && goesOn) {
          end();
          found(code);
          return;
        }
      }
      setTimeout(look, 150);
    };
    look();
    return end;
  }

  return { wedge, prepare, read, camera };
})();
