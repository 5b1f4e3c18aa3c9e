// The list of chats on the left: people, last messages, unread counts, and adding a person.

import * as api from "./api.js";
import { ask, button, byId, drawing, el } from "./dom.js";
import { label } from "./labels.js";
import { clock } from "./times.js";

const LANGUAGES = [
  ["zh-hans", "language.zh"],
  ["zh-hant", "language.zh_hant"],
  ["en", "language.en"],
  ["ru", "language.ru"],
];
const NAMES = ["王小明", "李雷", "韩梅梅", "阿依古丽·买买提"];
const HUES = 6;

/** The list of chats. `choose(chat, person)` opens one. */
export class People {
  constructor(world, choose, failed) {
    this.world = world;
    this.choose = choose;
    this.failed = failed;
    this.list = byId("people-list");
    byId("new-person").addEventListener("click", () => this.newPerson());
    byId("new-group").addEventListener("click", () => this.newGroup());
  }

  /** Render the list; `current` is the open chat, `person` the one who writes in it. */
  show(current, person) {
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.chat : null;
    this.list.replaceChildren(...[...this.world.chats.values()].map((chat, place) => this.row(chat, place, current, person)));
    if (focused) this.list.querySelector(`[data-chat="${focused}"]`)?.focus();
    byId("new-group").disabled = this.world.people.size === 0;
  }

  row(chat, place, current, person) {
    const someone = this.world.people.get(chat.id);
    const name = someone?.first_name ?? chat.title ?? String(chat.id);
    const newest = this.world.newest(chat.id);
    const facts = { class: "person", "aria-current": chat.id === current ? "true" : null, data: { chat: chat.id } };
    const writer = someone?.id ?? (chat.members.includes(person) ? person : chat.members[0]);
    return button(
      { ...facts, on: { click: () => this.choose(chat.id, writer) } },
      face(name, place, !someone),
      el(
        "span",
        { class: "person-words" },
        el("span", { class: "person-line" }, el("strong", {}, name), el("small", {}, newest ? clock(newest.date) : language(someone))),
        el("span", { class: "person-line" }, el("span", { class: "person-last" }, someone?.blocked ? label("people.blocked") : last(newest)), unread(chat)),
      ),
    );
  }

  /** Ask for a name and a language. */
  async newPerson() {
    const name = el("input", { name: "name", value: this.freeName(), maxlength: 64, required: true, autocomplete: "off" });
    const options = LANGUAGES.map(([code, key]) => el("option", { value: code }, label(key)));
    const spoken = el("select", { name: "language" }, ...options);
    const form = el(
      "form",
      { method: "dialog", class: "ask" },
      el("h3", {}, label("people.new")),
      el("label", {}, label("people.name"), name),
      el("label", {}, label("people.language"), spoken),
      el("div", { class: "alert-keys" }, button({ class: "plain", on: { click: () => form.closest("dialog").close() } }, label("cancel")), el("button", { class: "plain strong", value: "add" }, label("people.add"))),
    );
    if ((await ask(form)) === "add" && name.value.trim()) await this.add(name.value.trim(), spoken.value);
  }

  /** Ask which person scans a code; resolves with their id, or nothing. */
  async who() {
    const someone = [...this.world.people.values()].map((person, place) =>
      el("button", { class: "person", value: String(person.id) }, face(person.first_name, place, false), el("span", { class: "person-words" }, person.first_name)),
    );
    const cancel = button({ class: "plain", on: { click: () => form.closest("dialog").close() } }, label("cancel"));
    const form = el("form", { method: "dialog", class: "ask" }, el("h3", {}, label("people.who")), ...someone, el("div", { class: "alert-keys" }, cancel));
    return Number(await ask(form)) || null;
  }

  /** A suggested name that no person has yet, if there is one. */
  freeName() {
    const taken = new Set([...this.world.people.values()].map((someone) => someone.first_name));
    return NAMES.find((name) => !taken.has(name)) ?? NAMES[0];
  }

  async add(name, spoken) {
    try {
      const someone = await api.addPerson(name, spoken);
      this.choose(someone.id, someone.id);
    } catch (error) {
      this.failed(error);
    }
  }

  async newGroup() {
    try {
      const group = await api.addGroup(label("people.group_name"), [...this.world.people.keys()]);
      this.choose(group.id, [...this.world.people.keys()][0]);
    } catch (error) {
      this.failed(error);
    }
  }
}

/** An avatar with the first letter of the name; neighbours have different colours. */
function face(name, place, group) {
  return el("span", { class: "avatar", data: { hue: place % HUES }, "aria-hidden": "true" }, group ? drawing("group") : [...name][0]);
}

function last(newest) {
  if (!newest) return label("people.empty");
  return newest.text || newest.caption || label(`chat.${newest.kind}`);
}

function language(someone) {
  const known = LANGUAGES.find(([code]) => code === someone?.language_code);
  return known ? label(known[1]) : (someone?.language_code ?? "");
}

function unread(chat) {
  if (!chat.unread) return null;
  return el("span", { class: "badge", "aria-label": label("people.unread", { count: chat.unread }) }, String(chat.unread));
}
