"use strict";
// Text from the server is only ever set as text; nothing here makes markup of it.

const KEY = "ullage-session";
const LONGEST_PAUSE = 60;
const SILENCE_SECONDS = 60;
const $ = (id) => document.getElementById(id);
let usage = null;
let heard = 0;
let chosen = null;
let session = sessionStorage.getItem(KEY);
let stream = null;
let following = 0;

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function shape(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function percent(used) {
  return used === null ? "?" : Math.floor(used + 1e-9) + "%";
}

function span(seconds) {
  const minutes = Math.max(0, Math.ceil(seconds / 60));
  if (minutes < 60) return minutes + " min";
  if (minutes < 1440) return Math.floor(minutes / 60) + " h " + (minutes % 60) + " min";
  const hours = Math.ceil(minutes / 60);
  return Math.floor(hours / 24) + " d " + (hours % 24) + " h";
}

function clock(moment) {
  const date = new Date(moment);
  const far = Math.abs(date - Date.now()) >= 86400000;
  const form = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return date.toLocaleString("en-GB", far ? { ...form, weekday: "short", day: "numeric", month: "short" } : form);
}

function passed() {
  return (performance.now() - heard) / 1000;
}

// What there is to say of one window, in words.

function standing(window) {
  if (window.has_reset) return "It has been reset; what is used since is not known yet";
  if (window.used_percent === null) return "Too old to show";
  const words = { normal: "", warning: "Near the limit", critical: "Very near the limit", exhausted: "Used up" };
  return words[window.severity] + (window.state === "stale" ? (words[window.severity] ? "; " : "") + "old number" : "");
}

function outlook(pace) {
  if (!pace || pace.projected_percent === null) return "";
  if (pace.exhausts_at) {
    const latest = pace.exhausts_latest ? " and " + clock(pace.exhausts_latest) : " at the earliest, or not at all";
    const band = pace.exhausts_earliest ? " (" + (pace.exhausts_latest ? "between " : "") + clock(pace.exhausts_earliest) + latest + ")" : "";
    return "Runs out " + clock(pace.exhausts_at) + band;
  }
  return (pace.exhausts_earliest ? "Probably lasts" : "Lasts") + ", about " + percent(pace.projected_percent) + " at the reset";
}

function card(window) {
  const used = window.used_percent;
  const name = "window-" + window.id;
  const box = element("article", { class: "card " + window.severity, "aria-labelledby": name });
  const sign = used === null ? (window.has_reset ? "↺" : "?") : (window.state === "stale" ? "~" : "") + percent(used);
  const mark = { normal: "", warning: " !", critical: " !!", exhausted: " ×" }[window.severity];
  box.append(element("h3", { id: name }, window.label), element("div", { class: "used" }, sign + mark));
  if (used !== null) {
    const fill = element("div");
    fill.style.width = Math.min(100, used) + "%";
    box.append(element("div", {
      class: "gauge", role: "meter", "aria-label": window.label + " used", "aria-valuemin": "0", "aria-valuemax": "100",
      "aria-valuenow": String(Math.min(100, used)), "aria-valuetext": percent(used) + " used",
    }, fill));
  }
  const reset = element("p", { "data-reset": window.resets_in_seconds === null ? "" : window.resets_in_seconds, "data-at": window.resets_at || "" });
  for (const words of [standing(window), outlook(window.pace)]) if (words) box.append(element("p", {}, words));
  box.append(reset);
  return box;
}

function tick() {
  if (!usage) return;
  for (const line of document.querySelectorAll("[data-reset]")) {
    const seconds = line.dataset.reset === "" ? null : Number(line.dataset.reset) - passed();
    const text = seconds === null ? "" : "Resets in " + span(seconds) + ", " + clock(line.dataset.at);
    if (line.textContent !== text) line.textContent = text;
  }
  const age = usage.age_seconds === null ? null : usage.age_seconds + passed();
  const read = age === null ? (usage.as_of ? "Read at a time to come, by the clock" : "Nothing has been read yet")
    : age < 60 ? "Read just now" : "Read " + span(Math.floor(age / 60) * 60) + " ago";
  const from = usage.source ? " from " + usage.source : "";
  const state = { stale: "; old", expired: "; too old to show", fresh: "", none: "" }[usage.state];
  const next = usage.next_refresh_at ? ". Next refresh " + clock(usage.next_refresh_at) : "";
  const words = read + from + state + next + ".";
  if ($("source").textContent !== words) $("source").textContent = words;
}

function show() {
  $("entrance").hidden = true;
  $("known").hidden = false;
  const windows = usage.windows.filter((window) => window.listed);
  const top = windows.reduce((a, b) => (b.used_percent !== null && (a === null || b.used_percent > a.used_percent) ? b : a), null);
  document.title = (top ? percent(top.used_percent) + " " + top.label + " · " : "") + "ullage";
  $("account").textContent = usage.account.plan ? usage.account.plan + " plan" : "";
  const cards = windows.map(card);
  if (usage.credits) cards.push(credits(usage.credits));
  cards.push(...usage.pools.map(pool));
  if (!cards.length) cards.push(element("p", {}, "Nothing is known yet."));
  $("windows").replaceChildren(...cards);
  const problem = usage.problem ? usage.problem.message + (usage.problem.retry_at ? " Next try " + clock(usage.problem.retry_at) + "." : "") : "";
  if ($("problem").textContent !== problem) $("problem").textContent = problem;
  $("problem").hidden = !problem;
  choices(windows);
  tick();
  draw();
  past();
}

function money(amount) {
  if (!amount) return "?";
  const number = (amount.amount_minor / 10 ** amount.exponent).toFixed(amount.exponent);
  return amount.currency === "XXX" ? number : number + " " + amount.currency;
}

function credits(known) {
  const box = element("article", { class: "card", "aria-label": "Credits" }, element("h3", {}, "Credits"));
  box.append(element("div", { class: "used" }, known.enabled || known.used ? money(known.used) : "off"));
  if (known.limit) box.append(element("p", {}, "of " + money(known.limit)));
  if (known.disabled_reason) box.append(element("p", {}, "Off: " + known.disabled_reason.replaceAll("_", " ")));
  return box;
}

// Money that was given once: it is used up or ends.
function pool(known) {
  const box = element("article", { class: "card", "aria-label": known.label }, element("h3", {}, known.label));
  box.append(element("div", { class: "used" }, known.used_percent === null ? money(known.used) : percent(known.used_percent)));
  const parts = [known.limit ? (known.used ? money(known.used) + " of " : "of ") + money(known.limit) : "",
    known.ends_at ? "ends " + new Date(known.ends_at).toLocaleDateString([], { day: "numeric", month: "short" }) : ""];
  box.append(element("p", {}, parts.filter((part) => part).join(", ")));
  return box;
}

// The chart.

// As in the prompt: the highest percentage, and of equals the server's headline.
function nearest(windows) {
  const rank = (window) => (window.used_percent ?? -1) + (window.headline ? 0.001 : 0);
  return windows.reduce((best, window) => (rank(window) > rank(best) ? window : best), windows[0] || { id: null });
}

function choices(windows) {
  const ids = windows.map((window) => window.id);
  if (!ids.includes(chosen)) chosen = nearest(windows).id;
  const drawn = [...$("choice").querySelectorAll("input")].map((input) => input.value);
  if (drawn.join() === ids.join()) return;
  $("choice").replaceChildren(...windows.map((window) => {
    const input = element("input", { type: "radio", name: "window", value: window.id });
    input.checked = window.id === chosen;
    input.addEventListener("change", () => { chosen = window.id; draw(); });
    return element("label", {}, input, window.label);
  }));
}

let course = null;

async function draw() {
  const window = usage.windows.find((one) => one.id === chosen);
  const wanted = chosen;
  $("course").hidden = !window;
  if (!window) return;
  const answer = await ask("/v1/burnup?window=" + encodeURIComponent(window.id));
  if (wanted !== chosen) return;
  course = answer && answer.ok ? await answer.json() : null;
  const seen = usage.windows.find((one) => one.id === wanted);
  $("outlook").textContent = (course && seen && outlook(seen.pace)) || "";
  $("numbers").hidden = !course;
  if (!course) {
    $("chart").replaceChildren(element("p", {}, "There is no course to draw."));
    return;
  }
  paint();
  const rows = [...course.used.map((point) => [point.at, percent(point.used_percent), point.seen ? "read" : "read; nobody saw when it grew"]),
    ...course.expected.filter((_, index) => index && index % 12 === 0).map((point) =>
      [point.at, percent(point.middle), "expected, " + percent(point.low) + " to " + percent(point.high)])];
  $("numbers").querySelector(".wide").replaceChildren(table(["Time", "Used", ""], rows.map((row) => [clock(row[0]), row[1], row[2]])));
}

function table(headings, rows) {
  const head = element("tr", {}, ...headings.map((text) => element("th", { scope: "col" }, text || "How it is known")));
  return element("table", {}, element("thead", {}, head),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((text) => element("td", {}, text))))));
}

function paint() {
  const width = Math.max(260, $("chart").clientWidth || 260);
  const height = Math.min(360, Math.max(220, width * 0.45));
  const [left, right, above, below] = [44, 12, 12, 26];
  const begins = Date.parse(course.begins_at), ends = Date.parse(course.resets_at);
  const highest = Math.max(100, ...course.used.map((point) => point.used_percent), ...course.expected.map((point) => point.middle));
  const most = Math.min(150, Math.ceil(highest * 1.05 / 10) * 10);
  const x = (moment) => left + (Math.min(Math.max(Date.parse(moment), begins), ends) - begins) / (ends - begins) * (width - left - right);
  const y = (used) => height - below - Math.min(used, most) / most * (height - above - below);
  const path = (points) => points.map((point) => point[0].toFixed(1) + "," + point[1].toFixed(1)).join(" ");
  const parts = [];
  const ahead = course.expected;
  if (ahead.length) {
    parts.push(shape("polygon", { class: "band", points: path([...ahead.map((p) => [x(p.at), y(p.high)]), ...ahead.slice().reverse().map((p) => [x(p.at), y(p.low)])]) }));
  }
  const used = [[left, y(0)], ...course.used.map((point) => [x(point.at), y(point.used_percent)])];
  parts.push(shape("polygon", { class: "area", points: path([...used, [used.at(-1)[0], y(0)]]) }));
  for (let mark = 0; mark <= most; mark += 25) {
    parts.push(shape("line", { class: mark === 100 ? "limit" : "grid", x1: left, x2: width - right, y1: y(mark), y2: y(mark) }));
    parts.push(shape("text", { x: left - 6, y: y(mark) + 4, "text-anchor": "end" }, mark + "%"));
  }
  parts.push(...moments(begins, ends, width).map(([at, text]) => shape("text", { x: x(at), y: height - 8, "text-anchor": "middle" }, text)));
  parts.push(shape("line", { class: "even", x1: left, y1: y(0), x2: width - right, y2: y(100) }));
  if (ahead.length) parts.push(shape("polyline", { class: "expected", points: path(ahead.filter((p) => p.middle <= most).map((p) => [x(p.at), y(p.middle)])) }));
  course.used.forEach((point, index) => parts.push(
    shape("polyline", { class: point.seen ? "course" : "course unseen", points: path(used.slice(index, index + 2)) })));
  const now = course.used.at(-1);
  const label = course.label + ": " + (now ? percent(now.used_percent) + " used. " : "") + $("outlook").textContent;
  const drawing = shape("svg", { viewBox: "0 0 " + width + " " + height, role: "img", "aria-label": label });
  drawing.append(...parts);
  $("chart").replaceChildren(drawing, legend(ahead.length > 0, course.used.some((point) => !point.seen)));
}

function moments(begins, ends, width) {
  const short = ends - begins <= 86400000;
  const step = short ? 3600000 : 86400000;
  const first = new Date(begins);
  if (short) first.setMinutes(0, 0, 0); else first.setHours(0, 0, 0, 0);
  const form = short ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } : { weekday: "short" };
  const every = Math.max(1, Math.ceil((ends - begins) / step / ((width - 56) / 58)));
  const found = [];
  for (let number = 1; first.getTime() + number * step < ends; number += 1) {
    const at = new Date(first.getTime() + number * step);
    if (at > begins && number % every === 0) found.push([at.toISOString(), at.toLocaleTimeString ? (short ? at.toLocaleTimeString("en-GB", form) : at.toLocaleDateString("en-GB", form)) : ""]);
  }
  return found;
}

function legend(ahead, gaps) {
  const kinds = [["course", "used"], ...(gaps ? [["course unseen", "nobody saw when"]] : []), ["even", "would just last"], ["limit", "limit"], ...(ahead ? [["expected", "expected, with the band of four cases of five"]] : [])];
  return element("ul", { class: "legend" }, ...kinds.map(([kind, text]) => {
    const sign = shape("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" });
    sign.append(shape("line", { class: kind, x1: 0, y1: 6, x2: 26, y2: 6 }));
    return element("li", {}, sign, text);
  }));
}

// The last seven days, a small drawing for each window.

async function past() {
  const answer = await ask("/v1/history?since=7d&limit=5000");
  if (!answer || !answer.ok) return;
  const samples = (await answer.json()).samples;
  const ends = Date.now(), begins = ends - 7 * 86400000;
  const figures = usage.windows.map((window) => {
    const own = samples.filter((sample) => sample.window === window.id);
    if (!own.length) return null;
    const x = (moment) => (Date.parse(moment) - begins) / (ends - begins) * 240;
    const points = own.map((sample) => x(sample.at).toFixed(1) + "," + (48 - Math.min(sample.used_percent, 100) * 0.46).toFixed(1));
    const most = Math.max(...own.map((sample) => sample.used_percent));
    const drawing = shape("svg", { viewBox: "0 0 240 50", role: "img", "aria-label": window.label + ", seven days: at most " + percent(most) });
    drawing.append(shape("line", { class: "grid", x1: 0, x2: 240, y1: 48, y2: 48 }), shape("line", { class: "limit", x1: 0, x2: 240, y1: 2, y2: 2 }));
    drawing.append(shape("polyline", { class: "course", points: points.join(" ") }));
    return element("figure", {}, drawing, element("figcaption", {}, window.label + ": at most " + percent(most)));
  });
  $("past").replaceChildren(...figures.filter(Boolean));
  if (!$("past").children.length) $("past").replaceChildren(element("p", {}, "Nothing was recorded in that time."));
  const rows = samples.slice(-500).reverse().map((sample) => [clock(sample.at), sample.window, percent(sample.used_percent)]);
  $("readings").querySelector(".wide").replaceChildren(table(["Time", "Window", "Used"], rows));
}

// Getting in, and staying connected.

function ask(address, more) {
  return fetch(address, { cache: "no-store", credentials: "omit", redirect: "error", headers: session ? { Authorization: "Bearer " + session } : {}, ...more }).catch(() => null);
}

async function enter(secret) {
  session = secret;
  const answer = await ask("/v1/session", { method: "POST" });
  session = answer && answer.ok ? (await answer.json()).token : null;
  if (session) sessionStorage.setItem(KEY, session);
  return session !== null || (answer ? "This token or link is not valid: it may have been used, be too old, or be revoked." : "The server does not answer.");
}

function leave(words) {
  sessionStorage.removeItem(KEY);
  session = null;
  usage = null;
  $("known").hidden = true;
  $("entrance").hidden = false;
  $("refusal").textContent = words;
  say("Not connected", true);
  document.title = "ullage";
}

function say(words, lost) {
  if ($("connection").textContent !== words) $("connection").textContent = words;
  $("connection").toggleAttribute("data-lost", lost);
}

async function follow() {
  let pause = 1;
  const mine = (following += 1);
  while (session && mine === following) {
    const control = new AbortController();
    stream = control;
    const answer = await ask("/v1/events", { signal: control.signal });
    if (answer && (answer.status === 401 || answer.status === 403)) return leave("The session has ended. A new link or token opens the page again.");
    if (answer && answer.ok) {
      pause = 1;
      say("Live", false);
      await read(answer.body.getReader(), control);
    }
    say("Disconnected; what is shown may be old. Trying again", true);
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
    pause = Math.min(LONGEST_PAUSE, pause * 2);
  }
}

async function read(reader, control) {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    // A connection can die without a word; the server says something every twenty seconds.
    const watch = setTimeout(() => control.abort(), SILENCE_SECONDS * 1000);
    const part = await reader.read().catch(() => ({ done: true }));
    clearTimeout(watch);
    if (part.done) return;
    const events = (rest + decoder.decode(part.value, { stream: true })).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
      if (!data) continue;
      usage = JSON.parse(data);
      heard = performance.now();
      show();
    }
  }
}

$("entrance").addEventListener("submit", async (event) => {
  event.preventDefault();
  const outcome = await enter($("secret").value.trim());
  $("secret").value = "";
  if (outcome === true) follow(); else leave(outcome);
});

async function begin() {
  const link = new URLSearchParams(location.hash.slice(1)).get("link");
  if (link) {
    history.replaceState(null, "", location.pathname);
    const outcome = await enter(link);
    if (outcome !== true) return leave(outcome);
  }
  if (!session) return leave("");
  follow();
}

addEventListener("resize", () => { if (course && usage) paint(); });
addEventListener("hashchange", begin);
addEventListener("online", () => { if (stream) stream.abort(); });
setInterval(tick, 1000);
begin();
