// Formatted text: Telegram's entities become elements. Offsets count UTF-16 units, as JavaScript's strings do.

import { button, el } from "./dom.js";
import { label } from "./labels.js";
import { moment } from "./times.js";

const PLAIN = {
  bold: "strong",
  italic: "em",
  underline: "u",
  strikethrough: "s",
  code: "code",
};
const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);

/** Return the text as nodes. `act` has the actions of links and commands: open(url), say(text). */
export function formatted(text, entities, act) {
  const fragment = document.createDocumentFragment();
  fragment.append(...pieces(text, 0, text.length, entities, act));
  return fragment;
}

function pieces(text, start, end, entities, act) {
  const nodes = [];
  let place = start;
  let rest = entities;
  while (rest.length) {
    const [entity, ...others] = rest;
    const from = Math.max(entity.offset, place);
    const to = Math.min(entity.offset + entity.length, end);
    if (from >= to) {
      rest = others;
      continue;
    }
    if (from > place) nodes.push(text.slice(place, from));
    const inner = others.filter((other) => other.offset < to);
    const content = pieces(text, from, to, inner, act);
    nodes.push(wrapped(entity, content, text.slice(from, to), act));
    place = to;
    // A block element ends the line; the newline after it would add an empty line.
    if (BLOCKS.has(entity.type) && text[place] === "\n") place += 1;
    rest = others.filter((other) => other.offset + other.length > to);
  }
  if (place < end) nodes.push(text.slice(place, end));
  return nodes;
}

function wrapped(entity, content, words, act) {
  const plain = PLAIN[entity.type];
  if (plain) return el(plain, {}, ...content);
  switch (entity.type) {
    case "spoiler":
      return spoiler(content);
    case "pre":
      return el("pre", { data: { language: entity.language ?? "" } }, el("code", {}, ...content));
    case "blockquote":
      return el("blockquote", {}, ...content);
    case "expandable_blockquote":
      return expandable(content);
    case "text_link":
      return link(entity.url, content, act);
    case "url":
      return link(words, content, act);
    case "email":
      return el("a", { href: `mailto:${words}` }, ...content);
    case "bot_command":
      return button({ class: "inline-link", on: { click: () => act.say(words) } }, ...content);
    case "date_time":
      return moment(entity.unix_time, entity.date_time_format ?? "", words);
    case "mention":
    case "text_mention":
    case "hashtag":
      return el("span", { class: "tinted" }, ...content);
    default:
      return el("span", {}, ...content);
  }
}

function link(url, content, act) {
  const address = /^[a-z][a-z0-9+.-]*:/i.test(url) ? url : `http://${url}`;
  if (!/^https?:/i.test(address)) return el("span", { class: "tinted" }, ...content);
  const facts = { href: address, target: "_blank", rel: "noopener noreferrer", title: address };
  const click = (event) => act.open(address) && event.preventDefault();
  return el("a", { ...facts, on: { click } }, ...content);
}

function spoiler(content) {
  const cover = el("span", { class: "spoiler", role: "button", tabindex: "0", "aria-label": label("chat.spoiler") });
  const show = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    if (cover.classList.contains("shown")) return;
    event.preventDefault();
    cover.classList.add("shown");
    for (const name of ["role", "tabindex", "aria-label"]) cover.removeAttribute(name);
  };
  cover.append(el("span", { class: "spoiled" }, ...content));
  cover.addEventListener("click", show);
  cover.addEventListener("keydown", show);
  return cover;
}

function expandable(content) {
  const text = el("div", { class: "quoted" }, ...content);
  const toggle = button({ class: "more", "aria-expanded": "false" }, label("chat.expand"));
  toggle.addEventListener("click", () => {
    const open = quote.classList.toggle("open");
    toggle.textContent = label(open ? "chat.collapse" : "chat.expand");
    toggle.setAttribute("aria-expanded", String(open));
  });
  const quote = el("blockquote", { class: "expandable" }, text, toggle);
  // Only a quote that is cut off needs the toggle, and its size is known only once it is in the page.
  requestAnimationFrame(() => {
    toggle.hidden = text.scrollHeight <= text.clientHeight + 2;
    quote.classList.toggle("whole", toggle.hidden);
  });
  return quote;
}
