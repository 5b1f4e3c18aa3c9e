// Inline mode: the query after the bot's name, and the results above the field.

import * as api from "./api.js";
import { button, el } from "./dom.js";
import { label } from "./labels.js";

const PAUSE = 250;

/** `hooks` has where(), show(entries), close(), done(), failed(error). */
export class Inline {
  constructor(hooks) {
    this.hooks = hooks;
    this.username = null;
    this.asked = null;
  }

  /** Read the field; returns whether it holds an inline query. */
  typed(text) {
    clearTimeout(this.timer);
    const words = this.words(text);
    if (words === null) this.asked = null;
    else if (words !== this.asked) this.timer = setTimeout(() => this.ask(words), PAUSE);
    return words !== null;
  }

  words(text) {
    const [name, ...rest] = text.split(/(?<=^\S+)\s/);
    return rest.length && name.toLowerCase() === `@${this.username}`.toLowerCase() ? rest.join(" ").trim() : null;
  }

  async ask(words) {
    const { chat, person } = this.hooks.where();
    this.asked = words;
    await this.try(() => api.ask(chat, person, words));
  }

  /** Show the answer to the query in the field. */
  hear({ query, results, button: above }) {
    if (query !== this.asked) return;
    const entries = results.map((result) => this.entry(result.title || result.id, result.description ?? "", { result: result.id }));
    if (above) entries.unshift(this.entry(above.text, "", { button: true }));
    if (entries.length) this.hooks.show(entries);
    else this.hooks.show([el("p", { class: "nothing" }, label("inline.nothing"))]);
  }

  entry(title, description, which) {
    const click = () => this.choose(which);
    return button({ role: "menuitem", class: "result", on: { click } }, el("strong", {}, title), el("span", {}, description));
  }

  async choose(which) {
    const { chat, person } = this.hooks.where();
    this.hooks.close();
    this.asked = null;
    if (await this.try(() => api.choose(chat, person, which))) this.hooks.done();
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
}
