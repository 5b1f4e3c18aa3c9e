// Toasts and alerts, as Telegram shows the answer to a press.

import { ask, byId, button, el } from "./dom.js";
import { label } from "./labels.js";

const SHORTEST = 2200;
const PER_LETTER = 60;

/** Show a toast, which disappears by itself. */
export function toast(words) {
  const line = el("div", { class: "toast" }, words);
  const place = byId("toasts");
  while (place.childElementCount > 2) place.firstElementChild.remove();
  place.append(line);
  setTimeout(() => line.classList.add("going"), SHORTEST + PER_LETTER * words.length);
  setTimeout(() => line.remove(), SHORTEST + PER_LETTER * words.length + 300);
}

/** Show an alert, which stays until its button is pressed. */
export function alert(words) {
  const done = button({ class: "plain", autofocus: true, on: { click: () => done.closest("dialog").close() } }, label("ok"));
  ask(el("div", { class: "alert" }, el("p", {}, words), el("div", { class: "alert-keys" }, done)), { role: "alertdialog" });
}
