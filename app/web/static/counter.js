"use strict";

// The counter of a canteen. Every scan is written down in this browser before it is asked about, and leaves it only
// with the bank's final answer: so a line that falls, a reload or a power cut loses none, and none is asked twice,
// since each keeps its own number (nonce).

const SCAN = "counter.scan.", REFUSED = "counter.no.", WAIT_MS = 6000, TRY_AGAIN_MS = 15000, AT_ONCE = 100;
const room = document.getElementById("counter");
const sign = document.getElementById("waiting");
const asking = new Set();

function kept(prefix) {
  const found = [];
  for (let place = 0; place < localStorage.length; place += 1) {
    const name = localStorage.key(place);
    if (name.startsWith(prefix)) found.push(JSON.parse(localStorage.getItem(name)));
  }
  return found.sort((one, other) => one.scanned_at.localeCompare(other.scanned_at));
}

function waiting() {
  return kept(SCAN).filter((scan) => !asking.has(scan.nonce));
}

function showWaiting() {
  if (!sign) return;
  const scans = waiting(), here = canteen();
  const others = here ? scans.filter((scan) => scan.canteen && scan.canteen !== here).length : 0;
  const noLine = room && "noLine" in room.dataset;
  const words = [];
  if (noLine) words.push("【断网】");
  if (scans.length || noLine) words.push(`还有 ${scans.length} 张没有补传。`);
  if (others) words.push(`其中 ${others} 张是别的助餐点记下的，请用那里的登录名登录后补传。`);
  sign.textContent = words.join("");
  sign.hidden = !words.length;
  if (scans.length && !noLine) {
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = "现在补传";
    again.addEventListener("click", () => send(true));
    sign.append(again);
  }
}

function canteen() {
  if (room && room.dataset.canteen) localStorage.setItem("counter.canteen", room.dataset.canteen);
  return localStorage.getItem("counter.canteen") || "";
}

function number() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// By the bank's clock, as far as it was seen when a page last came.
function now() {
  return new Date(Date.now() + Number(localStorage.getItem("counter.clock") || 0)).toISOString();
}

function hour(moment) {
  return new Date(moment).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Shanghai", hour12: false });
}

async function asked(address, options) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), WAIT_MS);
  try {
    const answer = await fetch(address, { ...options, signal: stop.signal, credentials: "same-origin" });
    if (answer.status >= 500) throw new TypeError("the bank has no answer now");
    return { answer, words: await answer.text() };
  } finally {
    clearTimeout(timer);
  }
}

// Sounds, once a key or a finger has allowed them; without them the colour and the words say it all.
let sounds = null;
function sound(tone) {
  const Sounds = window.AudioContext || window.webkitAudioContext;
  if (!Sounds) return;
  sounds = sounds || new Sounds();
  const beeps = { yes: [[880, 0, 0.15]], no: [[220, 0, 0.25], [220, 0.35, 0.25]], wait: [[440, 0, 0.12], [440, 0.2, 0.12]] }[tone] || [];
  for (const [pitch, begin, long] of beeps) {
    const voice = sounds.createOscillator(), loud = sounds.createGain();
    voice.type = tone === "no" ? "square" : "sine";
    voice.frequency.value = pitch;
    loud.gain.value = 0.2;
    voice.connect(loud).connect(sounds.destination);
    voice.start(sounds.currentTime + begin);
    voice.stop(sounds.currentTime + begin + long);
  }
}

const SAID = { yes: "是", no: "否", wait: "记下" };

function line(text, name) {
  const one = document.createElement("p");
  one.textContent = text;
  if (name) one.className = name;
  return one;
}

function say(tone, title, lines) {
  const box = document.getElementById("answer");
  box.className = `verdict ${tone}`;
  const word = line("", "word"), strong = document.createElement("strong");
  strong.textContent = title;
  word.append(strong);
  box.replaceChildren(word, ...lines.map((text) => line(text)));
  sound(tone);
}

function recent() {
  return JSON.parse(document.getElementById("recent-kept").value || "[]");
}

function remember(entries) {
  const shown = entries.slice(0, 10);
  document.getElementById("recent-kept").value = JSON.stringify(shown);
  sessionStorage.setItem("counter.recent", JSON.stringify(shown));
  const rows = shown.map((entry) => {
    const row = document.createElement("li");
    row.className = entry.tone;
    for (const [kind, text] of [["span", entry.at], ["strong", SAID[entry.tone] || ""], ["span", entry.who], ["span", entry.why]]) {
      const cell = document.createElement(kind);
      cell.textContent = text;
      row.append(cell);
    }
    return row;
  });
  if (rows.length) document.getElementById("recent").replaceChildren(...rows);
}

function sameAs(text) {
  return text.startsWith("TB") ? text : text.toUpperCase().replace(/[\s-]/g, "");
}

const PICKUP = /^([早午晚]?)餐?\s*[0-9]{1,6}\s*号?$/;

async function one(text) {
  const scan = { code: text, nonce: number(), scanned_at: now(), canteen: canteen() };
  const twin = kept(SCAN).find((before) => sameAs(before.code) === sameAs(text));
  if (twin) {
    say("no", `否：${hour(twin.scanned_at)} 已经在这台机器上扫过`, ["这一张已经记下，还没有补传。请不要再给餐。"]);
    return;
  }
  try {
    localStorage.setItem(SCAN + scan.nonce, JSON.stringify(scan));
  } catch {
    say("no", "这台机器记不下了", ["这一张没有记下。请用纸记下券码和时间，并找管理员看看这台机器。"]);
    return;
  }
  asking.add(scan.nonce);
  const token = document.querySelector("#scan [name=form_token]");
  if (!token) {
    noted(scan);
    return;
  }
  try {
    const body = new URLSearchParams({ form_token: token.value, form_key: scan.nonce, code: text, recent: document.getElementById("recent-kept").value });
    const { answer, words } = await asked("/counter/", { method: "POST", body });
    drawn(scan, answer, words);
  } catch {
    noted(scan);
  }
  asking.delete(scan.nonce);
  showWaiting();
}

// The bank's own page, of which the answer is taken over.
function drawn(scan, answer, words) {
  const page = new DOMParser().parseFromString(words, "text/html");
  const box = page.getElementById("answer"), newest = page.getElementById("recent-kept");
  if (!box && ![200, 400, 403].includes(answer.status)) {
    noted(scan);
    return;
  }
  if (!box || !newest) {
    localStorage.removeItem(SCAN + scan.nonce);
    say("no", "这一张没有查", [answer.status === 400 ? "页面放得太久了，请刷新后再扫这一张。" : "登录已到期，请重新登录后再扫这一张。"]);
    document.getElementById("answer").append(link("/counter/", "重新打开"));
    return;
  }
  localStorage.removeItem(SCAN + scan.nonce);
  document.getElementById("answer").replaceWith(document.adoptNode(box));
  remember(JSON.parse(newest.value));
  sound(box.classList.contains("yes") ? "yes" : "no");
}

function link(address, words) {
  const one = line(""), way = document.createElement("a");
  way.href = address;
  way.className = "button quiet";
  way.textContent = words;
  one.append(way);
  return one;
}

function noted(scan) {
  const pickup = PICKUP.exec(scan.code);
  asking.delete(scan.nonce);
  if (pickup && !pickup[1]) {
    // Which meal it is of, only the bank knows; by the time it is sent it may be another.
    localStorage.removeItem(SCAN + scan.nonce);
    say("wait", "【断网】没有记下", ["断网时，取餐号前面要写早、午、晚，如 午12。请再输入一次。"]);
    return;
  }
  say("wait", "【断网】先记下", ["现在查不了真假，也查不了有没有用过；给不给餐，请您看人、看券决定。", "网络好了会自动补传，没有通过的会列在下面。"]);
  remember([{ at: hour(scan.scanned_at), tone: "wait", who: `尾号 ${scan.code.slice(-4)}`, why: "断网，先记下" }, ...recent()]);
  showWaiting();
}

let sending = false;
async function send(pressed) {
  if (sending || !waiting().length) return;
  sending = true;
  try {
    const page = await asked("/counter/", {});
    const found = new DOMParser().parseFromString(page.words, "text/html");
    const token = found.querySelector("#scan [name=form_token]"), there = found.getElementById("counter");
    if (!token || !there) {
      if (pressed) location.assign("/counter/");
      return;
    }
    const mine = waiting().filter((scan) => !scan.canteen || scan.canteen === there.dataset.canteen).slice(0, AT_ONCE);
    if (!mine.length) return;
    const scans = JSON.stringify(mine.map(({ code, nonce, scanned_at }) => ({ code, nonce, scanned_at })));
    const sent = await asked("/counter/send", { method: "POST", body: new URLSearchParams({ form_token: token.value, scans }) });
    const results = sent.answer.ok ? JSON.parse(sent.words).results : [];
    results.forEach((result, place) => settle(mine[place], result));
    sending = false;
    if (results.length && mine.length === AT_ONCE) await send(pressed);
    if (room && "noLine" in room.dataset && !waiting().length) location.assign("/counter/");
  } catch {
    if (pressed && room) say("wait", "【断网】还补传不了", ["记下的都还在，过一会儿再试。"]);
  } finally {
    sending = false;
    showWaiting();
    showRefused();
  }
}

function settle(scan, result) {
  if (result.nonce !== scan.nonce) return;
  if (result.tone !== "yes") {
    const told = { ...scan, why: result.why, who: result.who, paid: result.paid };
    localStorage.setItem(REFUSED + scan.nonce, JSON.stringify(told));
  }
  localStorage.removeItem(SCAN + scan.nonce);
}

// What was let through without a line and did not count afterwards stays in sight until somebody has read it.
function showRefused() {
  const box = document.getElementById("kept-no");
  if (!box) return;
  const found = kept(REFUSED);
  box.hidden = !found.length;
  if (!found.length) return;
  const head = document.createElement("h2"), rows = document.createElement("ul"), read = document.createElement("button");
  head.textContent = `补传后没有通过：${found.length} 张`;
  rows.className = "rows";
  for (const scan of found) {
    const row = document.createElement("li");
    row.append(line(`${hour(scan.scanned_at)}　尾号 ${scan.code.slice(-4)}　${scan.who || ""}`), line(`否：${scan.why}`), line(scan.paid || ""));
    rows.append(row);
  }
  read.type = "button";
  read.className = "quiet";
  read.textContent = "都看过了，不再显示";
  read.addEventListener("click", () => {
    for (const scan of found) localStorage.removeItem(REFUSED + scan.nonce);
    showRefused();
  });
  box.replaceChildren(head, rows, read);
}

let turn = Promise.resolve();
function atTheField() {
  const form = document.getElementById("scan"), field = document.getElementById("code");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    field.value = "";
    if (text) turn = turn.then(() => one(text));
    field.focus();
  });
  // The scanner gun types wherever the focus is: it comes back to the field unless somebody goes elsewhere by hand.
  document.addEventListener("keydown", () => {
    if (document.activeElement === document.body) field.focus();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("a, button, input, select, summary")) field.focus({ preventScroll: true });
  });
  window.addEventListener("focus", () => field.focus({ preventScroll: true }));
  field.focus({ preventScroll: true });
}

if (room) {
  if (room.dataset.now) localStorage.setItem("counter.clock", String(new Date(room.dataset.now) - Date.now()));
  canteen();
  const before = JSON.parse(sessionStorage.getItem("counter.recent") || "[]");
  remember(recent().length ? recent() : before);
  atTheField();
  showRefused();
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/counter/worker.js").catch(() => {});
}
showWaiting();
send(false);
window.addEventListener("online", () => {
  if (room && "noLine" in room.dataset && !waiting().length) location.assign("/counter/");
  else send(false);
});
window.addEventListener("storage", () => {
  showWaiting();
  showRefused();
});
setInterval(() => send(false), TRY_AGAIN_MS);
