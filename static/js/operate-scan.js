// Codes: what a hand scanner types (a "keyboard wedge"), what the camera sees, what is in a photo.
"use strict";

const operateScan = (() => {
  const BETWEEN_MS = 100; // nobody types that fast, and no scanner that slowly
  const SHORTEST = 3;
  const LOOK_EVERY_MS = 150;

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

  let looking = null; // what ends the camera that is on, or that was asked for

  // Turns the camera off, also one that is about to come on.
  function stop() {
    if (looking) looking.abort();
    looking = null;
  }

  // Shows the camera until a code is seen or something stops it, and calls `found` with the code.
  // Rejects with why where there is no camera to be had, or nothing that can read what it sees.
  async function look(video, found) {
    stop();
    const mine = new AbortController();
    looking = mine;
    let stream = null;
    mine.signal.addEventListener("abort", () => {
      if (stream) stream.getTracks().forEach((track) => track.stop());
      video.srcObject = null;
      video.hidden = true;
    });
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
      if (mine.signal.aborted) {
        stream.getTracks().forEach((track) => track.stop());
        return;
      }
      const [unplugged] = stream.getVideoTracks();
      const gone = new Promise((_, reject) => {
        unplugged.addEventListener("ended", () => reject(new DOMException("", "NotReadableError")));
      });
      video.srcObject = stream;
      video.hidden = false;
      const code = await Promise.race([gone, seen(video, mine.signal)]);
      if (looking === mine) stop();
      if (code) found(code);
    } catch (why) {
      // Whoever stopped it knows; play() complains of it, too.
      if (mine.signal.aborted) return;
      stop();
      throw why;
    }
  }

  // Plays a video and returns the first code that it shows, or none when it is stopped.
  async function seen(video, signal) {
    await video.play();
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    while (!signal.aborted) {
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      if (canvas.width) {
        context.drawImage(video, 0, 0);
        const code = await read(context.getImageData(0, 0, canvas.width, canvas.height));
        if (code) return signal.aborted ? "" : code;
      }
      await new Promise((goOn) => setTimeout(goOn, LOOK_EVERY_MS));
    }
    return "";
  }

  // The name of the words for why there is no camera.
  const whyNot = (why) => (why.name === "NotAllowedError" ? "camera_denied" : why.name === "NotReadableError" ? "camera_taken" : "no_camera");

  // A tablet that is put away, or shows something else, films nobody.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stop();
  });

  return { wedge, prepare, read, look, stop, whyNot, isLooking: () => looking !== null };
})();
