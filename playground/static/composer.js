// The input area: the text field, commands, attachments, the bot's reply keyboard, and editing.

import * as api from "./api.js";
import { button, byId, el } from "./dom.js";
import { Inline } from "./inline.js";
import { label, tag } from "./labels.js";

const SHARED = new Set(["contact", "location", "poll"]);
const ATTACHMENTS = [
  ["photo", "image"],
  ["document", "file"],
  ["sticker", "smile"],
  ["voice", "mic"],
  ["contact", "person"],
  ["location", "pin"],
];
const TALLEST = 160;
// On a touch screen, a focused field opens the keyboard, which covers the chat.
export const POINTED = matchMedia("(hover: hover)").matches;

/** The input area below the chat. `hooks` has failed(error), blocked(chat), unblock(). */
export class Composer {
  constructor(hooks) {
    this.hooks = hooks;
    this.place = byId("composer");
    this.commands = [];
    this.drafts = new Map();
    this.chat = null;
    this.person = null;
    this.editing = null;
    this.keysOpen = true;
    this.inline = new Inline({
      where: () => ({ chat: this.chat.id, person: this.person }),
      show: (entries) => this.openMenu(entries),
      close: () => this.closeMenu(),
      done: () => this.write(""),
      failed: hooks.failed,
    });
  }

  /** Write in this chat as this person. */
  open(chat, person) {
    if (this.chat?.id !== chat?.id) this.leave();
    this.chat = chat;
    this.person = person;
    // Rebuilding the field interrupts Chinese input, so it is rebuilt only after a change.
    if (this.shape() !== this.built) this.build();
  }

  /** Save the draft of this chat before another chat opens. */
  leave() {
    this.drafts.set(this.chat?.id, this.editing ? "" : (this.field?.value ?? ""));
    this.editing = this.field = null;
  }

  /** Focus the field. */
  focus() {
    (this.field ?? this.place.querySelector(".start"))?.focus({ preventScroll: true });
  }

  shape() {
    const { id, placeholder, forced, keys, messages } = this.chat ?? {};
    return JSON.stringify([id, this.person, placeholder, forced, keys, messages?.size === 0, this.hooks.blocked(id), tag()]);
  }

  /** Set the bot's commands, for the menu, and its name. */
  learn({ commands, username }) {
    this.commands = commands;
    this.inline.username = username;
    this.menuKey?.toggleAttribute("hidden", commands.length === 0);
  }

  build() {
    this.built = this.shape();
    if (!this.chat) return this.place.replaceChildren();
    if (this.hooks.blocked(this.chat.id)) return this.place.replaceChildren(this.big("people.unblock", () => this.hooks.unblock()));
    if (this.chat.messages.size === 0 && this.chat.id > 0) return this.place.replaceChildren(this.big("chat.start", () => this.say("/start")));
    const draft = this.field?.value ?? this.drafts.get(this.chat.id) ?? "";
    const focused = document.activeElement === this.field || (POINTED && this.place.contains(document.activeElement));
    this.field = this.makeField();
    this.menu = el("div", { class: "menu", hidden: true, role: "menu" });
    this.place.replaceChildren(this.menu, ...this.bar(), this.row(), ...this.keyboard());
    this.field.value = draft;
    this.grow();
    if (focused) this.field.focus();
  }

  big(words, click) {
    return button({ class: "start", on: { click } }, label(words));
  }

  makeField() {
    const placeholder = this.chat.placeholder ?? label("write.placeholder");
    const facts = { rows: 1, placeholder, "aria-label": label("write.placeholder"), enterkeyhint: "send", maxlength: 16384 };
    const on = { input: () => this.typed(), keydown: (event) => this.key(event) };
    return el("textarea", { ...facts, on });
  }

  row() {
    const send = button({ class: "round send", icon: "send", "aria-label": label("write.send"), title: label("write.send"), on: { click: () => this.submit() } });
    const attach = this.opener("clip", "write.attach", () => this.attachments());
    this.menuKey = this.opener("slash", "write.commands", () => this.commandMenu(""));
    this.menuKey.hidden = this.commands.length === 0;
    const keys = this.chat.keys.length ? this.opener("keys", "write.keyboard", () => this.toggleKeys()) : null;
    return el("div", { class: "write" }, attach, el("div", { class: "field" }, this.field, this.menuKey, keys), send);
  }

  opener(icon, words, open) {
    return button({ class: "round", icon, "aria-label": label(words), title: label(words), on: { click: open } });
  }

  /** What is edited, or the message that asks for a reply. */
  bar() {
    if (this.editing) return this.barOf("pencil", "write.editing", this.editing, () => this.edit(null));
    const asking = this.chat.messages.get(this.chat.forced);
    return asking ? this.barOf("reply", "write.replying", asking, () => this.unforce()) : [];
  }

  barOf(icon, words, message, click) {
    const stop = button({ class: "round", icon: "close", "aria-label": label("cancel"), on: { click } });
    return [el("div", { class: "editing" }, el("span", { icon }), el("p", {}, el("strong", {}, label(words)), message.text || message.caption), stop)];
  }

  unforce() {
    this.chat.forced = null;
    this.build();
    this.field.focus();
  }

  keyboard() {
    if (!this.chat.keys.length || !this.keysOpen) return [];
    const rows = this.chat.keys.map((row, y) =>
      el("div", { class: "keys-row" }, ...row.map((words, x) => button({ class: "reply-key", on: { click: () => this.pressKey(words, y, x) } }, words))),
    );
    return [el("div", { class: "reply-keys", role: "group", "aria-label": label("write.keyboard") }, ...rows)];
  }

  /** A key writes its label, or sends what it asks for. */
  pressKey(words, row, column) {
    const { kind } = this.chat.keyActions[row][column];
    return SHARED.has(kind) ? api.send(this.chat.id, this.person, kind) : this.say(words);
  }

  toggleKeys() {
    this.keysOpen = !this.keysOpen;
    this.build();
  }

  /** Start or end the editing of an own message. */
  edit(message) {
    this.editing = message;
    this.build();
    this.field.value = message?.text ?? "";
    this.grow();
    this.field.focus();
  }

  /** Put a text into the field as if it had been typed. */
  write(text) {
    this.field.value = text;
    this.typed();
    this.field.focus();
  }

  /** Start an inline query. */
  ask(words) {
    this.write(`@${this.inline.username} ${words}`);
  }

  typed() {
    this.grow();
    const word = this.field.value;
    if (this.inline.typed(word)) return;
    if (/^\/\w*$/.test(word) && this.commands.length) this.commandMenu(word.slice(1));
    else this.closeMenu();
  }

  key(event) {
    if (event.key === "Escape") {
      if (!this.menu.hidden) this.closeMenu();
      else if (this.editing) this.edit(null);
    }
    if (event.key === "ArrowUp" && !this.menu.hidden) {
      event.preventDefault();
      this.menu.lastElementChild?.focus();
    }
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    const result = this.menu.hidden ? null : this.menu.querySelector(".result");
    if (result) return result.click();
    this.submit();
  }

  async submit() {
    const text = this.field.value.trim();
    if (!text) return;
    const edited = this.editing;
    if (edited) this.edit(null);
    const facts = this.chat.forced ? { reply_to: this.chat.forced } : {};
    if (this.chat.forced) this.unforce();
    this.field.value = "";
    this.grow();
    this.closeMenu();
    const sent = await this.try(() => (edited ? api.edit(this.chat.id, this.person, edited.id, text) : api.say(this.chat.id, this.person, text, facts)));
    if (!sent && !this.field.value) this.field.value = text;
  }

  say(text) {
    this.closeMenu();
    return this.try(() => api.say(this.chat.id, this.person, text));
  }

  async try(doing) {
    try {
      await doing();
      return true;
    } catch (error) {
      this.hooks.failed(error);
      return false;
    }
  }

  commandMenu(begin) {
    const found = this.commands.filter(({ command }) => command.startsWith(begin));
    this.openMenu(
      found.map(({ command, description }) =>
        button({ role: "menuitem", class: "command", on: { click: () => this.run(command) } }, el("strong", {}, `/${command}`), el("span", {}, description)),
      ),
    );
  }

  run(command) {
    this.field.value = "";
    this.say(`/${command}`);
    this.field.focus();
  }

  attachments() {
    if (!this.menu.hidden) return this.closeMenu();
    const entries = ATTACHMENTS.map(([kind, icon]) => this.entry(icon, `attach.${kind}`, () => api.send(this.chat.id, this.person, kind)));
    const forward = () => api.say(this.chat.id, this.person, label("attach.forward_text"), { forward: true });
    const inline = this.entry("at", "attach.inline", () => this.ask(""));
    this.openMenu([...entries, this.entry("forward", "attach.forward", forward), inline]);
    this.menu.firstElementChild.focus();
    return undefined;
  }

  entry(icon, words, doing) {
    const click = () => {
      this.closeMenu();
      this.try(doing);
      this.field.focus();
    };
    return button({ role: "menuitem", class: "attachment", icon, on: { click } }, label(words));
  }

  openMenu(entries) {
    this.menu.replaceChildren(...entries);
    this.menu.hidden = entries.length === 0;
    this.menu.onkeydown = (event) => this.walk(event);
    this.away ??= (event) => this.place.contains(event.target) || this.closeMenu();
    document.addEventListener("pointerdown", this.away);
  }

  walk(event) {
    const entries = [...this.menu.children];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") {
      this.closeMenu();
      this.field.focus();
    }
    if (!step) return;
    event.preventDefault();
    entries[(entries.indexOf(document.activeElement) + step + entries.length) % entries.length].focus();
  }

  closeMenu() {
    if (!this.menu) return;
    this.menu.hidden = true;
    document.removeEventListener("pointerdown", this.away);
  }

  grow() {
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight, TALLEST)}px`;
  }
}
