"use strict";
// Text from the server is only ever set as text; nothing here makes markup of it.

const WORDS = {/*words*/};
const ICON_COLOURS = {/*colours*/};
const KEY = "ullage-session";
const LONGEST_PAUSE = 60;
const SILENCE_SECONDS = 60;
const HOUR = 3600000, DAY = 24 * HOUR;
// Sources tell the same reset with this much difference; a fall by more than the other is no correction.
const RESET_SLACK = 600000, CLEAR_FALL = 1;
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

function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

// Numbers and times, as the terminal writes them, in this browser's time zone.

function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function percent(used) {
  return used === null ? "?" : Math.min(100, Math.floor(used + 1e-9)) + "%";
}

function countdown(seconds) {
  const minutes = Math.max(0, Math.ceil(seconds / 60));
  const two = (number) => String(number).padStart(2, "0");
  if (minutes < 60) return minutes + "m";
  if (minutes < 1440) return Math.floor(minutes / 60) + "h" + two(minutes % 60);
  const hours = Math.ceil(minutes / 60);
  return Math.floor(hours / 24) + "d" + two(hours % 24) + "h";
}

function age(seconds) {
  const minutes = Math.max(0, Math.floor(seconds / 60));
  if (minutes < 1) return WORDS.just_now;
  return fill(WORDS.ago, { age: minutes < 60 ? minutes + "m" : minutes < 2880 ? Math.floor(minutes / 60) + "h" : Math.floor(minutes / 1440) + "d" });
}

function midnight(moment) {
  return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate());
}

function date(moment) {
  return moment.getDate() + " " + WORDS.months[moment.getMonth()];
}

function weekday(moment) {
  return WORDS.days[(moment.getDay() + 6) % 7];
}

function day(moment, now) {
  return Math.abs(Math.round((midnight(moment) - midnight(now)) / DAY)) < 7 ? weekday(moment) : date(moment);
}

function clock(moment, now) {
  const time = String(moment.getHours()).padStart(2, "0") + ":" + String(moment.getMinutes()).padStart(2, "0");
  return midnight(moment).getTime() === midnight(now).getTime() ? time : day(moment, now) + " " + time;
}

function forecastClock(moment, now) {
  if (moment - now < DAY) return clock(moment, now);
  const part = WORDS.parts_of_day.find(([ends]) => moment.getHours() < ends)[1];
  return fill(part, { day: day(moment, now) });
}

function money(amount) {
  if (!amount) return "?";
  const number = (Math.abs(amount.amount_minor) / 10 ** amount.exponent).toFixed(amount.exponent);
  const priced = amount.currency === "USD" ? "$" + number : amount.currency === "XXX" ? number : number + " " + amount.currency;
  return (amount.amount_minor < 0 ? "-" : "") + priced;
}

function amounts(known) {
  if (!known.used && !known.limit) return "";
  return fill(known.limit ? WORDS.spent : WORDS.spent_unlimited, { spent: money(known.used), limit: money(known.limit) });
}

// Seconds since the newest document came; by them the server's clock goes on, whatever this machine's says.
function passed() {
  return (performance.now() - heard) / 1000;
}

function serverNow() {
  const known = usage && usage.as_of && usage.age_seconds !== null;
  return known ? new Date(Date.parse(usage.as_of) + (usage.age_seconds + passed()) * 1000) : new Date();
}

// What there is to say of one window: the sentences are the terminal's.

function remaining(window) {
  return window.resets_in_seconds === null ? null : window.resets_in_seconds - passed();
}

function hasReset(window) {
  return window.has_reset || (remaining(window) !== null && remaining(window) <= 0);
}

function when(moment, now) {
  const text = clock(moment, now);
  return text.includes(" ") ? text : fill(WORDS.at, { clock: text });
}

function outlook(window, now, brief) {
  if (window.used_percent >= 100) {
    if (!window.resets_at) return { text: WORDS.used_up, warns: true };
    const back = fill(WORDS.back, { when: when(new Date(window.resets_at), now), left: countdown(remaining(window)) });
    return { text: WORDS.used_up + "; " + back, warns: true };
  }
  const pace = window.pace;
  if (!pace || !pace.verdict || pace.projected_percent === null) return { text: "", warns: false };
  const words = WORDS.verdicts[pace.verdict];
  if (pace.verdict !== "runs_out") {
    const expected = fill(words, { percent: percent(pace.projected_percent) });
    const about = !brief && words.includes("{percent}");
    return { text: about ? fill(WORDS.at_the_reset, { expected }) : expected, warns: false };
  }
  const ends = new Date(pace.exhausts_at), resets = new Date(window.resets_at);
  if (ends <= now) return { text: WORDS.about_to_run_out, warns: true };
  const early = fill(brief ? WORDS.early : WORDS.before_the_reset, { time: rough((resets - ends) / 1000, ends - now >= DAY) });
  return { text: fill(words, { when: forecastClock(ends, now), early }), warns: true };
}

// A forecast a day away or more knows no minutes.
function rough(seconds, far) {
  if (!far) return countdown(seconds);
  const hours = Math.max(1, Math.round(seconds / 3600));
  return hours < 48 ? hours + "h" : Math.round(hours / 24) + "d";
}

function standing(window, now, brief) {
  if (hasReset(window)) return { text: WORDS.has_reset, warns: false };
  if (window.used_percent === null) return { text: WORDS.states[window.state] || WORDS.unknown, warns: false };
  const expected = outlook(window, now, brief);
  const reason = window.disabled_reason ? WORDS.reasons[window.disabled_reason] || window.disabled_reason.replaceAll("_", " ") : "";
  const unknown = window.resets_at || amounts(window) ? "" : window.used_percent > 0 ? WORDS.no_reset_time : WORDS.not_started;
  return { text: [expected.text, amounts(window), reason, unknown].filter(Boolean).join(", "), warns: expected.warns || Boolean(reason) };
}

function resets(window, now) {
  if (hasReset(window) || !window.resets_at || window.used_percent >= 100) return "";
  return fill(WORDS.resets, { when: when(new Date(window.resets_at), now), left: countdown(remaining(window)) });
}

function elapsed(window) {
  if (!window.starts_at || !window.resets_at || hasReset(window)) return null;
  const whole = (Date.parse(window.resets_at) - Date.parse(window.starts_at)) / 1000;
  return Math.min(1, Math.max(0, 1 - remaining(window) / whole));
}

// The list. `ticking` are what time alone changes.

let ticking = [];

function row(window, binds) {
  const name = "window-" + window.id;
  const box = element("article", { "aria-labelledby": name });
  const [used, pace, said, reset] = ["used", "pace", "said", "when"].map((kind) => element(kind === "used" ? "div" : "p", { class: kind }));
  box.append(element("h3", { id: name }, window.label), pace, used);
  const gauge = meter(window);
  if (gauge) box.append(gauge.box);
  box.append(said, reset);
  const word = element("span", { class: "heard" }), time = element("span");
  reset.append(word, time);
  ticking.push((now) => {
    const known = window.used_percent !== null && !hasReset(window);
    const counted = window.severity ? "" : " uncounted";
    box.className = "row " + (known ? window.severity || "normal" : "normal") + (binds ? " binds" : "") + counted + (window.state === "stale" || !known ? " old" : "");
    say(used, known ? (window.state === "stale" ? WORDS.forms.stale : "") + percent(window.used_percent) + WORDS.forms[window.severity || "normal"]
      : hasReset(window) ? WORDS.reset_mark : window.sign || "?");
    const ratio = window.pace && known && window.used_percent < 100 ? window.pace.ratio : null;
    say(pace, ratio === null ? "" : fill(WORDS.so_far, { pace: ratio.toFixed(1) + "×" }));
    const sentence = standing(window, now, true);
    say(said, sentence.text);
    said.classList.toggle("warns", sentence.warns);
    const [first, ...rest] = resets(window, now).split(" ");
    say(word, rest.length ? first + " " : "");
    say(time, rest.join(" ").replace(/^at /, ""));
    if (gauge) gauge.update(known);
  });
  return box;
}

function meter(window) {
  if (window.used_percent === null) return null;
  const fill = element("div"), tick = element("i");
  fill.style.width = Math.min(100, window.used_percent) + "%";
  const box = element("div", {
    class: "gauge", role: "meter", "aria-label": window.label + " used", "aria-valuemin": "0", "aria-valuemax": "100",
    "aria-valuenow": String(Math.min(100, window.used_percent)), "aria-valuetext": percent(window.used_percent) + " used",
  }, fill, tick);
  return { box, update: (known) => {
    box.hidden = !known;
    const share = elapsed(window);
    tick.hidden = share === null;
    if (share !== null) tick.style.left = share * 100 + "%";
  } };
}

function plan(account) {
  if (!account.plan) return "";
  const factor = /_(\d+x)$/.exec(account.tier || "");
  const title = account.plan.replace(/[a-z]+/gi, (word) => word[0].toUpperCase() + word.slice(1).toLowerCase());
  return title + (factor ? " " + factor[1] : "");
}

// Credits and pools of money as rows: they tell no reset.
function budget(known, id, label) {
  const bare = { id, label, resets_at: null, resets_in_seconds: null, starts_at: null, has_reset: false, pace: null, state: "fresh" };
  const off = known.enabled === false && !isLimit(known) ? "off" : known.used_percent === null ? "–" : null;
  return { ...bare, ...known, used_percent: off ? null : known.used_percent, sign: off, severity: known.severity ?? null };
}

function isLimit(credits) {
  return credits !== null && credits.limit !== null && credits.used_percent !== null && Boolean(credits.enabled || credits.disabled_reason);
}

// Everything that may end work, in the order of the list.
function limits() {
  const windows = usage.windows.filter((window) => window.listed);
  return isLimit(usage.credits) ? [...windows, budget(usage.credits, "credits", "Credits")] : windows;
}

// As in the prompt: the highest percentage, and of equals the server's headline. Money binds where no window counts.
function nearest() {
  const windows = usage.windows.filter((window) => window.listed);
  const counted = windows.some((window) => window.used_percent);
  const all = limits().filter((one) => one.id !== "credits" || !windows.length || (!counted && usage.credits.enabled));
  const rank = (window) => (window.used_percent ?? -1) + (window.headline ? 0.001 : 0);
  return all.reduce((best, window) => (best === null || rank(window) > rank(best) ? window : best), null);
}

function tick() {
  if (!usage) return;
  const now = serverNow();
  for (const update of ticking) update(now);
  const old = WORDS.states[usage.state];
  const read = usage.age_seconds === null ? "" : fill(WORDS.read, { ago: age(usage.age_seconds + passed()) }) + (old ? " (" + old + ")" : "");
  const due = usage.next_refresh_at ? (new Date(usage.next_refresh_at) - now) / 1000 : null;
  const next = due === null ? "" : due > 0 ? fill(WORDS.next_reading, { left: countdown(due) }) : WORDS.reading_due;
  say($("source"), [read, usage.source, next].filter(Boolean).join(" · "));
}

function show() {
  $("entrance").hidden = true;
  $("known").hidden = false;
  const windows = usage.windows.filter((window) => window.listed);
  const top = nearest();
  const shown = [...windows, ...(usage.credits ? [budget(usage.credits, "credits", "Credits")] : []),
    ...usage.pools.map((pool) => budget({ ...pool, ends: pool.ends_at }, "pool-" + pool.id, pool.label))];
  ticking = [];
  $("windows").replaceChildren(...shown.map((window) => row(window, top !== null && window.id === top.id)));
  document.title = (top && top.used_percent !== null ? percent(top.used_percent) + " " + top.label + " · " : "") + "ullage";
  icon(top);
  say($("account"), plan(usage.account));
  const problem = usage.problem ? usage.problem.message + (usage.problem.retry_at ? " Next try " + clock(new Date(usage.problem.retry_at), serverNow()) + "." : "") : "";
  say($("problem"), problem);
  $("problem").hidden = !problem;
  say($("empty-title"), WORDS.nothing);
  $("empty").hidden = shown.length > 0;
  $("list").hidden = $("week").hidden = !shown.length;
  choices(limits(), top);
  tick();
  draw();
  past();
}

// A cask that fills, in the colour of the level.
function icon(top) {
  const used = top && top.used_percent !== null ? Math.min(100, top.used_percent) : null;
  const height = used === null ? 0 : 48 * used / 100;
  const colour = ICON_COLOURS[(top && top.severity) || "normal"];
  const drawing = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="#1c2026"/>' +
    '<rect x="8" y="8" width="48" height="48" rx="6" fill="#4b525c"/><rect x="8" y="' + (56 - height) + '" width="48" height="' + height +
    '" rx="6" fill="' + colour + '"/></svg>';
  document.querySelector("link[rel=icon]").href = "data:image/svg+xml," + encodeURIComponent(drawing);
}

// The chart.

function choices(windows, top) {
  const ids = windows.map((window) => window.id);
  if (!ids.includes(chosen)) chosen = top ? top.id : null;
  const drawn = [...$("choice").querySelectorAll("input")].map((input) => input.value);
  if (drawn.join() === ids.join()) return;
  $("choice").replaceChildren(...windows.map((window) => {
    const input = element("input", { type: "radio", name: "window", value: window.id });
    input.checked = window.id === chosen;
    input.addEventListener("change", () => { chosen = window.id; draw(); });
    return element("label", {}, input, window.label);
  }));
  const label = $("choice").querySelector("label:has(:checked)");
  if (label) $("choice").scrollLeft = label.offsetLeft - ($("choice").clientWidth - label.offsetWidth) / 2;
}

// What was drawn of each window stays, for a time without a connection.
const courses = new Map();
let course = null;

async function draw() {
  const window = limits().find((one) => one.id === chosen);
  const wanted = chosen;
  $("course").hidden = !window;
  if (!window) return;
  const answer = await ask("/v1/burnup?window=" + encodeURIComponent(wanted));
  if (answer && answer.ok) courses.set(wanted, await answer.json());
  else if (answer) courses.delete(wanted);
  if (wanted !== chosen || !usage) return;
  const seen = limits().find((one) => one.id === wanted) || window;
  course = courses.get(wanted) || null;
  caption(seen);
  ticking.push(() => { if (seen.id === chosen) caption(seen); });
  $("numbers").hidden = !course;
  if (!course) {
    $("chart").replaceChildren(element("p", {}, answer ? "There is no course to draw yet." : "It was not looked at before the connection was lost."));
    return;
  }
  paint();
  const rows = [...course.used.map((point) => [point.at, percent(point.used_percent), point.seen ? "read" : "read, unseen when it grew"]),
    ...course.expected.filter((_, index) => index && index % 12 === 0).map((point) =>
      [point.at, percent(point.middle), WORDS.expected + ", " + percent(point.low) + " to " + percent(point.high)])];
  const now = serverNow();
  $("numbers").querySelector(".wide").replaceChildren(table(["Time", "Used", "How it is known"], rows.map((one) => [clock(new Date(one[0]), now), one[1], one[2]])));
}

// The same two lines as above the chart of the terminal.
function caption(window) {
  const now = serverNow();
  const known = window.used_percent !== null && !hasReset(window);
  const old = window.state === "stale" ? WORDS.forms.stale : "";
  const share = window.used_percent >= 100 ? "" : old + percent(window.used_percent) + " " + WORDS.used;
  const counted = [share, amounts(window)].filter(Boolean).join(", ");
  const expected = known ? outlook(window, now, false).text : standing(window, now, false).text;
  const text = window.label + ": " + [known ? counted : "", expected, known ? resets(window, now) : ""].filter(Boolean).join("; ");
  say($("outlook"), text);
  const drawing = $("chart").querySelector("svg[role=img]");
  if (drawing && drawing.getAttribute("aria-label") !== text) drawing.setAttribute("aria-label", text);
}

function table(headings, rows) {
  const head = element("tr", {}, ...headings.map((text) => element("th", { scope: "col" }, text)));
  return element("table", {}, element("thead", {}, head),
    element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((text) => element("td", {}, text))))));
}

const path = (points) => points.map((point) => point[0].toFixed(1) + "," + point[1].toFixed(1)).join(" ");

function paint() {
  const width = Math.max(260, $("chart").clientWidth || 260);
  const height = Math.min(360, Math.max(220, width * 0.4));
  const [left, right, above, below] = [44, 12, 12, 26];
  const begins = Date.parse(course.begins_at), ends = Date.parse(course.ends_at);
  const highest = Math.max(100, ...course.used.map((point) => point.used_percent), ...course.expected.map((point) => point.middle));
  const most = Math.min(150, Math.ceil(highest * 1.05 / 10) * 10);
  const x = (moment) => left + (Math.min(Math.max(Date.parse(moment), begins), ends) - begins) / (ends - begins) * (width - left - right);
  const y = (used) => height - below - Math.min(used, most) / most * (height - above - below);
  const parts = [];
  const ahead = course.expected;
  if (ahead.length) {
    parts.push(shape("polygon", { class: "band", points: path([...ahead.map((p) => [x(p.at), y(p.high)]), ...ahead.slice().reverse().map((p) => [x(p.at), y(p.low)])]) }));
  }
  const runs = [[{ at: [left, y(0)], seen: true }]];
  for (const point of course.used) {
    if (!point.joined) runs.push([]);
    runs.at(-1).push({ at: [x(point.at), y(point.used_percent)], seen: point.seen });
  }
  for (const run of runs) {
    if (run.length > 1) parts.push(shape("polygon", { class: "area", points: path([[run[0].at[0], y(0)], ...run.map((point) => point.at), [run.at(-1).at[0], y(0)]]) }));
  }
  for (let mark = 0; mark <= most; mark += 25) {
    parts.push(shape("line", { class: mark === 100 ? "limit" : "grid", x1: left, x2: width - right, y1: y(mark), y2: y(mark) }));
    parts.push(shape("text", { x: left - 6, y: y(mark) + 4, "text-anchor": "end" }, mark + "%"));
  }
  parts.push(...moments(begins, ends, width).map(([at, text]) => shape("text", { x: x(at), y: height - 8, "text-anchor": "middle" }, text)));
  const isHistory = course.used.length > 0 && !course.used[0].joined;
  if (!isHistory) parts.push(shape("line", { class: "even", x1: left, y1: y(0), x2: width - right, y2: y(100) }));
  if (ahead.length) parts.push(shape("polyline", { class: "expected", points: path(ahead.filter((p) => p.middle <= most).map((p) => [x(p.at), y(p.middle)])) }));
  for (const run of runs) {
    run.slice(1).forEach((point, index) => parts.push(
      shape("polyline", { class: point.seen ? "course" : "course unseen", points: path([run[index].at, point.at]) })));
  }
  const drawing = shape("svg", { viewBox: "0 0 " + width + " " + height, role: "img", "aria-label": $("outlook").textContent });
  drawing.append(...parts);
  $("chart").replaceChildren(drawing, legend(ahead.length > 0, course.used.some((point) => point.joined && !point.seen), isHistory));
}

function moments(begins, ends, width) {
  const short = ends - begins <= DAY;
  const first = new Date(begins);
  if (short) first.setMinutes(0, 0, 0); else first.setHours(0, 0, 0, 0);
  const every = Math.max(1, Math.ceil((ends - begins) / (short ? HOUR : DAY) / ((width - 56) / 58)));
  const found = [];
  for (let number = 1; ; number += 1) {
    const at = new Date(first);
    if (short) at.setHours(first.getHours() + number); else at.setDate(first.getDate() + number);
    if (at.getTime() >= ends) return found;
    const text = short ? clock(at, at) : ends - begins > 8 * DAY ? date(at) : weekday(at);
    if (at.getTime() > begins && number % every === 0) found.push([at.toISOString(), text]);
  }
}

function legend(ahead, gaps, isHistory) {
  const kinds = [["course", WORDS.used], ...(gaps ? [["course unseen", WORDS.unseen]] : []), ...(isHistory ? [] : [["even", WORDS.just_lasts]]),
    ["limit", "limit"], ...(ahead ? [["expected", WORDS.expected + ", with the band of four cases of five"]] : [])];
  return element("ul", { class: "legend" }, ...kinds.map(([kind, text]) => {
    const sign = shape("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" });
    sign.append(shape("line", { class: kind, x1: 0, y1: 6, x2: 26, y2: 6 }));
    return element("li", {}, sign, text);
  }));
}

// The last seven days: the session, which resets many times, by the hour; the others as lines that break at a reset.

let samples = null;

async function past() {
  const answer = await ask("/v1/history?since=7d&limit=10000");
  if (answer && answer.ok) samples = (await answer.json()).samples;
  if (samples && usage) paintPast();
}

function paintPast() {
  const ends = serverNow().getTime(), begins = ends - 7 * DAY;
  const figures = limits().map((window) => {
    const own = samples.filter((sample) => sample.window === window.id).map((sample) => ({ ...sample, at: Date.parse(sample.at), resets: sample.resets_at ? Date.parse(sample.resets_at) : null }));
    if (!own.length) return null;
    const most = percent(Math.max(...own.map((sample) => sample.used_percent)));
    const isStrip = window.id === "five_hour";
    const width = Math.max(260, isStrip ? $("past").clientWidth || 260 : Math.min(320, $("past").clientWidth || 320));
    const drawing = shape("svg", { viewBox: "0 0 " + width + " " + (isStrip ? 62 : 60), role: "img", "aria-label": window.label + ", seven days: at most " + most });
    drawing.append(...(isStrip ? hours(own, begins, ends, width) : lines(own, begins, ends, width)));
    const text = element("figcaption", {}, element("span", { class: "name" }, window.label), isStrip ? ", each day's peak" : ", at most " + most);
    return element("figure", { class: isStrip ? "strip" : "" }, text, drawing);
  });
  $("past").replaceChildren(...figures.filter(Boolean));
  if (!$("past").children.length) $("past").replaceChildren(element("p", {}, "Nothing was recorded in that time."));
  const now = serverNow();
  const rows = samples.slice(-500).reverse().map((sample) => [clock(new Date(sample.at), now), sample.window, percent(sample.used_percent)]);
  $("readings").querySelector(".wide").replaceChildren(table(["Time", "Window", "Used"], rows));
}

// The samples of each count; the next one begins at a reset, or where use falls.
function countsOf(own) {
  const counts = [];
  for (const sample of own) {
    const before = counts.at(-1)?.at(-1);
    const goes = before && (before.resets === null) === (sample.resets === null) && Math.abs((before.resets || 0) - (sample.resets || 0)) <= RESET_SLACK
      && sample.used_percent >= before.used_percent - CLEAR_FALL;
    if (goes) counts.at(-1).push(sample); else counts.push([sample]);
  }
  return counts;
}

// A cell for each hour, as strong as it was full, and the peak of each day below it.
function hours(own, begins, ends, width) {
  const first = new Date(begins);
  first.setMinutes(0, 0, 0);
  // The newest sample may be of an hour that has just begun, which the server's time in whole seconds does not know yet.
  const cells = Math.floor((Math.max(ends, own.at(-1).at) - first) / HOUR) + 1, size = width / cells;
  const levels = new Array(cells).fill(null);
  const raise = (at, used) => {
    const cell = Math.floor((at - first) / HOUR);
    if (cell >= 0 && cell < cells) levels[cell] = Math.max(levels[cell] ?? 0, used);
  };
  for (const count of countsOf(own)) {
    count.forEach((sample, index) => {
      raise(sample.at, sample.used_percent);
      // Between two readings of one session it stood at the first at least.
      for (let at = sample.at; index + 1 < count.length && at < count[index + 1].at; at += HOUR) raise(at, sample.used_percent);
    });
  }
  const parts = levels.map((used, cell) => shape("rect", {
    x: (cell * size).toFixed(2), y: 0, width: Math.max(0.5, size - (size > 4 ? 1 : 0)).toFixed(2), height: 26,
    ...(used === null ? { fill: "var(--raised)" } : { class: used >= 100 ? "hour full" : "hour", "fill-opacity": (0.12 + 0.88 * Math.min(used, 100) / 100).toFixed(2) }),
  }));
  let from = 0;
  while (from < cells) {
    const start = new Date(first.getTime() + from * HOUR);
    const until = Math.min(cells, from + Math.max(1, Math.round((new Date(start.getFullYear(), start.getMonth(), start.getDate() + 1) - start) / HOUR)));
    const seen = levels.slice(from, until).filter((used) => used !== null);
    const middle = (from + until) / 2 * size;
    if (from) parts.push(shape("line", { class: "grid", x1: from * size, x2: from * size, y1: 0, y2: 58 }));
    if ((until - from) * size >= 30) {
      parts.push(shape("text", { class: "peak", x: middle, y: 42, "text-anchor": "middle" }, seen.length ? percent(Math.max(...seen)) : "–"));
      parts.push(shape("text", { x: middle, y: 57, "text-anchor": "middle" }, weekday(start)));
    }
    from = until;
  }
  return parts;
}

function lines(own, begins, ends, width) {
  const x = (at) => Math.min(width, Math.max(0, (at - begins) / (ends - begins) * width));
  const y = (used) => 54 - Math.min(used, 100) * 0.5;
  const parts = [shape("line", { class: "grid", x1: 0, x2: width, y1: 54, y2: 54 }), shape("line", { class: "limit", x1: 0, x2: width, y1: 4, y2: 4 })];
  for (const count of countsOf(own)) {
    const points = count.map((sample) => [x(sample.at), y(sample.used_percent)]);
    const [from, until] = [points[0][0], points.at(-1)[0]];
    parts.push(shape("polygon", { class: "area", points: path([[from, 54], ...points, [until, 54]]) }));
    parts.push(shape("polyline", { class: "course", points: path(points.length > 1 ? points : [[from - 4, points[0][1]], points[0]]) }));
    const resets = count.at(-1).resets;
    if (resets && resets > begins && resets < ends) parts.push(shape("line", { class: "reset", x1: x(resets), x2: x(resets), y1: 0, y2: 58 }));
  }
  return parts;
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
  connection("Not connected", true);
  document.title = "ullage";
  courses.clear();
  samples = null;
}

function connection(words, lost) {
  say($("connection"), words);
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
      connection("Live", false);
      await read(answer.body.getReader(), control);
    }
    connection("Disconnected; what is shown may be old. Trying again", true);
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

addEventListener("resize", () => {
  if (course && usage) paint();
  if (samples && usage) paintPast();
});
addEventListener("hashchange", begin);
addEventListener("online", () => { if (stream) stream.abort(); });
setInterval(tick, 1000);
begin();
