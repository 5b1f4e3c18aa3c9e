// Inline keyboards: rows of buttons below a message, and the action of each kind of button.

import { button, drawing, el } from "./dom.js";
import { label } from "./labels.js";

const MARKS = { url: "link", copy: "copy" };

/** The rows of a message that can be tapped: its buttons, then the options of a poll, tasks, the payment. */
export const tappable = (message) => [...message.buttons, ...message.choices];

/** The keyboard of a message. `act` has press(message, row, column), open(url), copied(text), ask(words), sorry(words). */
export function keyboard(message, act) {
  const rows = tappable(message).map((row, y) =>
    el("div", { class: "keys-row" }, ...row.map((fact, x) => key(message, fact, y, x, act))),
  );
  return el("div", { class: "keys" }, ...rows);
}

function key(message, fact, row, column, act) {
  const facts = { class: `key ${fact.style ?? ""}`.trim(), data: { kind: fact.kind } };
  const mark = MARKS[fact.kind] ? el("span", { class: "key-mark" }, drawing(MARKS[fact.kind])) : null;
  const words = el("span", { class: "key-label" }, fact.label);
  switch (fact.kind) {
    case "option":
    case "task":
    case "pay":
    case "data": {
      const press = () => act.press(message, row, column, pressed);
      const pressed = button({ ...facts, on: { click: press } }, words, mark);
      return pressed;
    }
    case "web_app":
    case "url": {
      const click = (event) => act.open(fact.url) && event.preventDefault();
      const place = { href: safe(fact.url), target: "_blank", rel: "noopener noreferrer" };
      return el("a", { ...facts, ...place, title: label("chat.opens", { url: fact.url }), on: { click } }, words, mark);
    }
    case "copy": {
      const title = label("chat.copies", { text: fact.copy });
      return button({ ...facts, title, on: { click: () => copy(fact.copy, act) } }, words, mark);
    }
    default:
      return button({ ...facts, on: { click: () => act.ask(fact.query ?? "") } }, words);
  }
}

async function copy(text, act) {
  try {
    await navigator.clipboard.writeText(text);
    act.copied(text);
  } catch {
    act.sorry(text); // when the clipboard is not permitted, show the text
  }
}

const safe = (url) => (/^https?:/i.test(url) ? url : null);
