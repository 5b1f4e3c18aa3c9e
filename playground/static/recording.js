// The record button: records the chat as a script, to copy or to save as a file.

import * as api from "./api.js";
import { ask, button, byId, el } from "./dom.js";
import { label } from "./labels.js";

/** The button. A script starts in an empty chat, which `fresh()` opens; `failed(error)` and `toast(words)` notify. */
export class Recording {
  constructor({ fresh, failed, toast }) {
    Object.assign(this, { fresh, failed, toast, on: false });
    this.key = byId("record");
    this.key.addEventListener("click", () => this.turn());
    this.look();
  }

  /** Ask whether a recording runs: another page or the program may have started one. Without a recorder, hide the button. */
  look() {
    api.recording().then((told) => {
      this.key.hidden = told.available === false;
      this.show(told.on);
    }, this.failed);
  }

  async turn() {
    try {
      const told = await api.record(!this.on);
      this.show(told.on);
      if (told.on) await this.begun();
      else await this.ended(told.script);
    } catch (error) {
      this.failed(error);
    }
  }

  show(on = this.on) {
    this.on = on;
    const words = label(on ? "record.stop" : "record.start");
    this.key.setAttribute("aria-pressed", String(on));
    this.key.setAttribute("aria-label", words);
    this.key.title = words;
  }

  async begun() {
    await this.fresh();
    this.toast(label("record.begun"));
  }

  async ended(script) {
    const text = el("textarea", { class: "script", readonly: true, rows: 16, spellcheck: "false", "aria-label": label("record.script") });
    text.value = script;
    const address = URL.createObjectURL(new Blob([script], { type: "text/plain" }));
    const copy = button({ class: "plain", on: { click: () => this.copy(text, copy) } }, label("record.copy"));
    const keep = el("a", { class: "plain", href: address, download: "recorded.chat" }, label("record.keep"));
    const done = button({ class: "plain strong", on: { click: () => done.closest("dialog").close() } }, label("ok"));
    const keys = el("div", { class: "alert-keys" }, copy, keep, done);
    await ask(el("div", { class: "recorded" }, el("h3", {}, label("record.script")), text, keys), { class: "sheet wide-sheet" });
    URL.revokeObjectURL(address);
  }

  async copy(text, key) {
    try {
      await navigator.clipboard.writeText(text.value);
      key.textContent = label("chat.copied");
    } catch {
      text.select(); // when the clipboard is not permitted, the user can copy the selection
    }
  }
}
