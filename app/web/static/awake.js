"use strict";

// While a code is to be scanned the screen stays on, where the browser can do so.
async function keepAwake() {
  if (!("wakeLock" in navigator) || document.visibilityState !== "visible") return;
  try {
    await navigator.wakeLock.request("screen");
  } catch {
    // A low battery may forbid it; the code can be shown all the same.
  }
}
document.addEventListener("visibilitychange", keepAwake);
keepAwake();
