// Dates and times in the page's language and the browser's time zone.

import { el } from "./dom.js";
import { label, tag } from "./labels.js";

const DAY = 86_400_000;
const STEPS = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

export const clock = (unix) =>
  new Intl.DateTimeFormat(tag(), { hour: "2-digit", minute: "2-digit", hour12: false }).format(unix * 1000);

export const dayKey = (unix) => new Date(unix * 1000).toDateString();

/** "Today", "Yesterday", or the date. */
export function day(unix) {
  if (dayKey(unix) === new Date().toDateString()) return label("chat.today");
  if (dayKey(unix) === new Date(Date.now() - DAY).toDateString()) return label("chat.yesterday");
  return new Intl.DateTimeFormat(tag(), { dateStyle: "long" }).format(unix * 1000);
}

/** A <time> for Telegram's date_time entity; `refresh` updates relative ones. */
export function moment(unix, format, words) {
  const date = new Date(unix * 1000);
  const absolute = new Intl.DateTimeFormat(tag(), { dateStyle: "full", timeStyle: "medium" }).format(date);
  const time = el("time", { class: "moment", datetime: date.toISOString(), title: absolute });
  if (format.toLowerCase() === "r") {
    time.dataset.unix = String(unix);
    time.textContent = relative(unix);
  } else {
    time.textContent = format ? worded(date, format) : words;
  }
  return time;
}

/** Update all relative times. */
export function refresh(root = document) {
  for (const time of root.querySelectorAll("time[data-unix]")) {
    const words = relative(Number(time.dataset.unix));
    if (time.textContent !== words) time.textContent = words;
  }
}

function relative(unix) {
  const seconds = Math.round(unix - Date.now() / 1000);
  const [unit, length] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  if (Math.abs(seconds) < 1) return label("chat.now");
  return new Intl.RelativeTimeFormat(tag(), { numeric: "always" }).format(Math.round(seconds / length), unit);
}

function worded(date, format) {
  const style = {};
  if (format.includes("t")) style.timeStyle = "short";
  if (format.includes("T")) style.timeStyle = "medium";
  if (format.includes("d")) style.dateStyle = "short";
  if (format.includes("D")) style.dateStyle = "long";
  const said = Object.keys(style).length ? new Intl.DateTimeFormat(tag(), style).format(date) : "";
  if (!/w/i.test(format)) return said;
  return `${new Intl.DateTimeFormat(tag(), { weekday: "long" }).format(date)} ${said}`.trim();
}
