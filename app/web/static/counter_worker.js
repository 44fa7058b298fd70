"use strict";

// Opens the counter without a line: a page that holds nothing of anybody's, and its style, script and icons.
// Everything else goes to the bank as if this were not here.

const KEPT = "counter", SHELL = "/counter/offline";

async function keep() {
  const answer = await fetch(SHELL, { cache: "reload" });
  if (!answer.ok) return;
  const words = await answer.clone().text();
  const needed = new Set([...words.matchAll(/\/static\/[^"#]+/g)].map((found) => found[0]));
  const cache = await caches.open(KEPT);
  await cache.addAll([...needed]);
  await cache.put(SHELL, answer);
  for (const request of await cache.keys()) {
    const path = new URL(request.url).pathname;
    if (path !== SHELL && !needed.has(path)) await cache.delete(request);
  }
}

self.addEventListener("install", (event) => event.waitUntil(keep().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const path = new URL(request.url).pathname;
  if (request.mode === "navigate" && path === "/counter/") {
    const shown = fetch(request);
    event.respondWith(shown.catch(() => caches.match(SHELL).then((found) => found || Response.error())));
    event.waitUntil(shown.then(keep).catch(() => {}));
  } else if (path.startsWith("/static/")) {
    event.respondWith(caches.match(request).then((found) => found || fetch(request)));
  }
});
