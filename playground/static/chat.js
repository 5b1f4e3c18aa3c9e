// The open chat: its header, its messages, and how the list follows the events.

import * as api from "./api.js";
import { ask, button, byId, calm, drawing, el } from "./dom.js";
import { label } from "./labels.js";
import { item } from "./message.js";
import { day, dayKey } from "./times.js";

const NEAR = 120;
const PRESS_LASTS = 15_000;
const UPLOADS = new Set(["upload_photo", "upload_document", "upload_video"]);

/** The middle column of the page. `hooks` has open(url), scan(text), toast(words), edit(message), say(text), ask(words). */
export class Chat {
  constructor(world, hooks) {
    this.world = world;
    this.hooks = hooks;
    this.id = null;
    this.bot = null;
    this.pressed = new Map();
    this.list = byId("messages");
    this.scroller = byId("scroll");
    this.down = byId("down");
    this.atEnd = true;
    this.scroller.addEventListener("scroll", () => this.follow());
    this.down.addEventListener("click", () => this.toEnd(true));
    // When a picture, a quote or the input field changes its size, the end of the list stays visible.
    const watch = new ResizeObserver(() => this.atEnd && this.toEnd(false));
    watch.observe(this.list);
    watch.observe(this.scroller);
    this.act = {
      ...hooks,
      press: (message, row, column, key) => this.press(message, row, column, key),
      copied: () => hooks.toast(label("chat.copied")),
      sorry: (words) => hooks.toast(words),
      enlarge,
      find: (id) => this.chat?.messages.get(id) ?? null,
      mine: (message) => message.user === hooks.person(),
      bot: () => `@${this.bot?.username ?? ""}`,
      name: (user) => world.people.get(user)?.first_name ?? "",
    };
  }

  get chat() {
    return this.id === null ? null : this.world.chats.get(this.id);
  }

  /** Show another chat, or the same chat in another language. */
  open(id) {
    this.id = id;
    this.pressed.clear();
    this.list.setAttribute("aria-live", "off"); // screen readers do not read old messages
    this.list.replaceChildren();
    for (const message of this.chat?.messages.values() ?? []) this.append(message, false);
    if (this.chat?.left) this.notice(label("chat.left"));
    if (this.chat) this.chat.unread = 0;
    this.head();
    this.welcome();
    this.toEnd(false);
    requestAnimationFrame(() => this.list.setAttribute("aria-live", "polite"));
  }

  /** Show one change of the state. */
  hear(kind, chat, facts) {
    if (!chat || chat.id !== this.id) return;
    const moving = facts.live && !calm();
    if (kind === "message") this.arrive(facts.message, moving);
    if (kind === "edit") this.replace(facts.message, moving);
    if (kind === "delete") this.vanish(facts.id, moving);
    if (kind === "left") this.notice(label("chat.left"));
    if (kind === "toast") this.answered(facts.query);
    if (kind === "message" || kind === "action") this.head();
    this.welcome();
  }

  /** Show the partner of the chat and what it is doing. */
  head() {
    const status = byId("bot-status");
    const busy = this.chat?.action && Date.now() < this.chat.actionEnds ? this.chat.action : null;
    byId("bot-name").textContent = this.chat?.title ?? this.bot?.name ?? "";
    status.className = busy ? "busy" : this.bot?.connected === false ? "away" : "";
    if (busy) status.textContent = label(UPLOADS.has(busy) ? "chat.uploading" : "chat.typing");
    else status.textContent = this.bot?.connected === false ? label("chat.away") : `@${this.bot?.username ?? ""}`;
  }

  /** Show the bot's description in an empty chat. */
  welcome() {
    const place = byId("welcome");
    const empty = this.chat !== null && this.chat !== undefined && this.chat.messages.size === 0;
    place.hidden = !empty;
    if (!empty) return;
    const words = this.bot?.description || label("chat.welcome_empty");
    place.replaceChildren(
      el("span", { class: "avatar bot large" }, drawing("shield")),
      el("h3", {}, label("chat.welcome")),
      el("p", {}, words),
    );
  }

  arrive(message, moving) {
    const stay = !this.atEnd && message.from !== "user";
    this.append(message, moving);
    if (!stay) this.toEnd(false);
  }

  append(message, moving) {
    const last = this.list.querySelector("li.message:last-of-type");
    if (last?.dataset.day !== dayKey(message.date)) this.notice(day(message.date), "day");
    const entry = item(message, this.act);
    entry.dataset.day = dayKey(message.date);
    if (moving) entry.classList.add("arriving");
    this.list.append(entry);
    return entry;
  }

  replace(message, moving) {
    const old = this.entry(message.id);
    if (!old) return;
    const entry = item(message, this.act);
    entry.dataset.day = old.dataset.day;
    if (moving) entry.classList.add("changed");
    old.replaceWith(entry);
  }

  vanish(id, moving) {
    const entry = this.entry(id);
    if (!entry) return;
    if (!moving) {
      entry.remove();
      return;
    }
    entry.removeAttribute("data-id");
    entry.style.height = `${entry.offsetHeight}px`;
    entry.addEventListener("animationend", (event) => event.target === entry && entry.remove());
    entry.classList.add("vanishing");
  }

  notice(words, kind = "note") {
    this.list.append(el("li", { class: kind }, el("span", {}, words)));
  }

  entry(id) {
    return this.list.querySelector(`li[data-id="${id}"]`);
  }

  async press(message, row, column, key) {
    key.classList.add("pressed");
    const relax = () => key.classList.remove("pressed");
    try {
      const { query } = await api.tap(this.id, this.hooks.person(), message.id, row, column);
      this.pressed.set(query, relax);
      if (this.early?.delete(query)) this.answered(query);
      setTimeout(relax, PRESS_LASTS);
    } catch (error) {
      relax();
      this.hooks.toast(error instanceof api.Refusal ? label("chat.gone") : String(error));
    }
  }

  answered(query) {
    const relax = this.pressed.get(query);
    // The answer can arrive before the confirmation of the press.
    if (relax) relax();
    else (this.early ??= new Set()).add(query);
    this.pressed.delete(query);
  }

  get near() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  toEnd(smooth) {
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: smooth && !calm() ? "smooth" : "instant" });
    this.follow();
  }

  follow() {
    this.atEnd = this.near;
    this.down.hidden = this.near;
  }
}

function enlarge(message) {
  const image = el("img", { src: api.fileAddress(message.photo.file_id), alt: message.caption });
  const close = button({ class: "round", icon: "close", "aria-label": label("close"), on: { click: () => close.closest("dialog").close() } });
  ask(el("div", { class: "enlarged" }, image, close), { class: "lightbox" });
}
