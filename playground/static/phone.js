// The phone on the right: opens scanned codes and links in the app of the user's choice.

import { button, byId, drawing, el } from "./dom.js";
import { label } from "./labels.js";

const APPS = ["wechat", "qq", "browser"];
const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);
// Pages run in a sandbox: their scripts cannot reach this page, and their frames cannot leave theirs.
const SANDBOX = "allow-forms allow-scripts";

/** Whether an address is on this machine, so that the phone can open it. */
export function opensHere(url) {
  try {
    const { protocol, hostname } = new URL(url);
    return /^https?:$/.test(protocol) && LOOPBACK.has(hostname);
  } catch {
    return false;
  }
}

/** The phone and its current page. */
export class Phone {
  constructor() {
    this.screen = byId("screen");
    this.app = null;
    this.url = null;
    this.trail = [];
    this.home();
    this.tick();
    setInterval(() => this.tick(), 10_000);
  }

  tick() {
    byId("phone-clock").textContent = new Intl.DateTimeFormat("zh-CN", { hour: "numeric", minute: "2-digit", hour12: false }).format();
  }

  /** Render the screen again in another language. */
  redraw() {
    if (this.app) this.bar();
    else if (this.url) this.choose(this.url);
    else this.home();
  }

  home() {
    this.app = this.url = null;
    const words = [el("h3", {}, label("phone.empty")), el("p", {}, label("phone.empty_long"))];
    this.screen.replaceChildren(el("div", { class: "resting" }, el("span", { class: "finder" }, drawing("scan")), ...words));
  }

  /** Ask which app opens a scanned code or a pressed link. */
  choose(text) {
    this.app = null;
    this.url = text;
    if (!/^https?:\/\//i.test(text)) {
      this.sheet(el("p", {}, label("phone.not_link")), el("p", { class: "scanned" }, text));
      return;
    }
    const tiles = APPS.map((app) =>
      button({ class: `app-tile ${app}`, on: { click: () => this.open(app, text) } }, el("span", { class: "app-icon" }, drawing(APP_ICONS[app])), label(`phone.${app}`)),
    );
    this.sheet(
      el("p", { class: "sheet-small" }, label("phone.scanned")),
      el("p", { class: "scanned" }, text),
      el("h3", {}, label("phone.choose")),
      el("div", { class: "app-tiles" }, ...tiles),
    );
    this.screen.querySelector(".app-tile")?.focus({ preventScroll: true });
  }

  sheet(...content) {
    const close = button({ class: "round sheet-close", icon: "close", "aria-label": label("close"), on: { click: () => this.home() } });
    this.screen.replaceChildren(el("div", { class: "chooser" }, el("div", { class: "viewfinder" }, drawing("scan")), el("div", { class: "chooser-sheet" }, close, ...content)));
  }

  open(app, url) {
    Object.assign(this, { app, url, trail: [], title: label(`phone.${app}`), place: host(url) });
    this.frame = el("iframe", { sandbox: SANDBOX, title: label("phone.title"), referrerpolicy: "no-referrer" });
    this.frame.addEventListener("load", () => this.arrived());
    this.top = el("div", { class: `app-bar ${app}` });
    this.progress = el("div", { class: "progress" });
    this.screen.replaceChildren(el("div", { class: "app" }, this.top, this.progress, this.frame));
    this.bar();
    this.go(url);
  }

  go(url) {
    this.progress.classList.add("running");
    this.frame.src = framed(this.app, url);
  }

  /** Ask the server which page was loaded: the sandbox hides the frame's address from this page. */
  async arrived() {
    this.progress.classList.remove("running");
    const app = this.app;
    const answer = await fetch(`/phone/${app}`);
    const { url, title } = await answer.json();
    if (app !== this.app || !url) return;
    if (this.trail.at(-1) !== url) this.trail.push(url);
    Object.assign(this, { url, title: title || host(url), place: host(url) });
    this.bar();
  }

  back() {
    this.trail.pop();
    const before = this.trail.pop();
    if (before) this.go(before);
    else this.choose(this.url);
  }

  bar() {
    const back = button({ class: "bar-key", icon: this.app === "wechat" ? "close" : "back", "aria-label": label("phone.back"), on: { click: () => this.back() } });
    const more = button({ class: "bar-key", icon: "dots", "aria-label": label("phone.more"), title: label("phone.more"), on: { click: () => this.choose(this.url) } });
    const reload = button({ class: "bar-key", icon: "reload", "aria-label": label("phone.reload"), on: { click: () => this.go(this.url) } });
    const middle =
      this.app === "browser"
        ? el("div", { class: "address" }, drawing("globe"), el("span", {}, this.place), reload)
        : el("div", { class: "bar-title" }, el("strong", {}, this.title), el("small", {}, this.place));
    const keys = this.app === "browser" ? [more] : [reload, more];
    this.top.replaceChildren(back, middle, ...keys);
  }
}

const APP_ICONS = { wechat: "wechat", qq: "qq", browser: "globe" };

function framed(app, url) {
  const { protocol, host: place, pathname, search } = new URL(url);
  return `/phone/${app}/${protocol.slice(0, -1)}/${place}${pathname}${search}`;
}

function host(url) {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
