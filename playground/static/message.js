// One message of the chat: its bubble and its keyboard.

import { button, el } from "./dom.js";
import { keyboard, tappable } from "./keyboard.js";
import { label } from "./labels.js";
import { media } from "./media.js";
import { formatted } from "./text.js";
import { clock } from "./times.js";

/** The list item of a message. `act` has the actions of a person on it. */
export function item(message, act) {
  const side = message.from === "user" && act.mine(message) ? "user" : "bot"; // other members are on the bot's side
  const kinds = ["message", side, `kind-${message.kind}`];
  if (tappable(message).length) kinds.push("with-keys");
  if (message.photo && !words(message)) kinds.push("bare");
  const parts = [bubble(message, act)];
  if (tappable(message).length) parts.push(keyboard(message, act));
  return el("li", { class: kinds.join(" "), data: { id: message.id } }, el("div", { class: "stack" }, ...parts));
}

const words = (message) => message.text || message.caption;

function bubble(message, act) {
  const above = message.caption_above ? null : media(message, act);
  const below = message.caption_above ? media(message, act) : null;
  const text = words(message) ? el("div", { class: "words" }, formatted(words(message), message.entities, act)) : null;
  const head = message.forwarded ? el("p", { class: "forwarded" }, label("chat.forwarded")) : null;
  const via = message.via ? el("p", { class: "forwarded" }, label("chat.via", { bot: act.bot() })) : null;
  const author = message.from === "user" && !act.mine(message) ? el("p", { class: "forwarded" }, act.name(message.user)) : null;
  const inside = [author, head, via, quoted(message, act), above, text, below, meta(message), pencil(message, act)];
  return el("div", { class: "bubble" }, ...inside);
}

function quoted(message, act) {
  const answered = message.reply_to ? act.find(message.reply_to) : null;
  if (!answered) return null;
  return el("p", { class: "answered" }, words(answered) || label(`chat.${answered.kind}`));
}

function meta(message) {
  const edited = message.edited ? el("span", { class: "edited" }, label("chat.edited")) : null;
  const locked = message.protect ? el("span", { class: "locked", icon: "lock", title: label("chat.protected") }) : null;
  const time = el("time", { datetime: new Date(message.date * 1000).toISOString() }, clock(message.date));
  return el("span", { class: "meta" }, locked, edited, time);
}

function pencil(message, act) {
  if (message.from !== "user" || message.kind !== "text" || message.forwarded || message.via || !act.mine(message)) return null;
  const facts = { class: "pencil", icon: "pencil", "aria-label": label("chat.edit"), title: label("chat.edit") };
  return button({ ...facts, on: { click: () => act.edit(message) } });
}
