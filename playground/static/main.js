// Builds the page: the event stream updates the state, the state notifies the parts, the parts call /sim.

import * as api from "./api.js";
import { Chat } from "./chat.js";
import { Composer, POINTED } from "./composer.js";
import { byId, drawIcons } from "./dom.js";
import { fill, label, other, speak } from "./labels.js";
import { alert, toast } from "./notices.js";
import { People } from "./people.js";
import { opensHere, Phone } from "./phone.js";
import { keep, kept } from "./place.js";
import { Recording } from "./recording.js";
import { follow } from "./stream.js";
import { refresh } from "./times.js";
import { World } from "./world.js";

const FIRST_PERSON = ["王小明", "zh-hans"];
const LOOK_AFTER_BOT = 2500;
const MISSED_LOOKS = 2;

const world = new World();
let person = null;
let ready = false;
let missed = 0;

await speak();
drawIcons(document);

const failed = (error) => toast(label("write.failed", { reason: error.message }));
const phone = new Phone();
const blocked = (id) => world.people.get(id)?.blocked ?? false;
const composer = new Composer({ failed, blocked, unblock: () => block(false) });
const chat = new Chat(world, {
  open,
  scan,
  toast,
  edit: (message) => composer.edit(message),
  say: (text) => composer.say(text),
  ask: (words) => composer.ask(words),
  person: () => person,
});
const people = new People(world, choose, failed);
const recording = new Recording({ fresh, failed, toast });

words();
world.listen(hear);
follow(world, connection);
setInterval(refresh, 1000);
setInterval(lookAfterBot, LOOK_AFTER_BOT);
lookAfterBot();

for (const [key, action] of [
  ["people-open", () => drawer("people", true)],
  ["people-close", () => drawer("people", false)],
  ["phone-open", () => drawer("phone", true)],
  ["phone-close", () => drawer("phone", false)],
  ["scrim", closeDrawers],
  ["block", () => block(!blocked(person))],
  ["language", switchLanguage],
]) {
  byId(key).addEventListener("click", action);
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeDrawers();
  // A pressed button may be gone, and the focus with it. Typing must still go into the field.
  const typed = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (typed && document.activeElement === document.body) composer.field?.focus({ preventScroll: true });
});

/** Open a chat as one of its members. */
function choose(id, writer) {
  person = writer ?? person;
  keep(world.run, id, person);
  world.chat(id);
  chat.open(id);
  composer.open(chat.chat, person);
  people.show(id, person);
  showBlock();
  drawer("people", false);
  lookAfterBot();
  if (POINTED) composer.focus();
}

function hear(kind, where, facts) {
  if (kind === "replayed") {
    begin();
    return;
  }
  if (!ready) return;
  chat.hear(kind, where, facts);
  if (where && where.id === chat.id) {
    where.unread = 0;
    if (kind === "message" || kind === "delete") composer.open(where, person);
  }
  if (kind === "people") {
    composer.open(chat.chat, person);
    showBlock();
  }
  if (kind === "toast" && facts.user === person) answer(facts);
  if (kind === "results" && facts.user === person && where.id === chat.id) composer.inline.hear(facts);
  if (kind === "profile") lookAfterBot();
  if (!["action", "toast", "results"].includes(kind)) people.show(chat.id, person);
}

async function block(stop) {
  try {
    await api.changePerson(person, { blocked: stop });
  } catch (error) {
    failed(error);
  }
}

function showBlock() {
  byId("block").hidden = chat.id !== person; // only a private chat can block the bot
  byId("block").setAttribute("aria-pressed", String(blocked(person)));
}

async function begin() {
  ready = true;
  const before = kept(world);
  const first = world.people.keys().next();
  if (before) choose(before.chat, before.person);
  else if (first.done) await people.add(...FIRST_PERSON);
  else choose(first.value, first.value);
}

function answer({ text, alert: waits, url }) {
  if (text) (waits ? alert : toast)(text);
  if (url) open(url);
}

/** Open an address that is local or leads to this bot. Returns whether it did. */
function open(url) {
  const start = startOf(url);
  if (start !== null) {
    if (!start.here) {
      toast(label("chat.elsewhere"));
      return true;
    }
    if (chat.id !== person) choose(person, person); // a link to the bot opens the private chat
    composer.say(`/start ${start.payload}`.trim());
    return true;
  }
  if (!opensHere(url)) return false;
  scan(url);
  return true;
}

/** The start parameter of a deep link to this bot; null for any other address. */
function startOf(url) {
  const { protocol, hostname, pathname, searchParams } = URL.canParse(url) ? new URL(url) : {};
  const app = protocol === "tg:";
  if (!app && hostname !== "t.me" && hostname !== "telegram.me") return null;
  const name = app ? searchParams.get("domain") : pathname.slice(1);
  return { here: name?.toLowerCase() === chat.bot?.username?.toLowerCase(), payload: searchParams.get("start") ?? "" };
}

/** Handle a scanned code: a link to the bot opens as a person of the user's choice, another link on the phone. */
async function scan(text) {
  const start = startOf(text);
  if (start !== null) {
    const who = start.here ? await people.who() : null;
    if (who !== null) choose(who, who);
    if (who !== null || !start.here) open(text);
    return;
  }
  phone.choose(text);
  drawer("phone", true);
}

function connection(state) {
  if (state === "restarted") {
    ready = false;
    recording.look();
    toast(label("app.restarted"));
  }
  trouble(state === "lost" ? label("app.lost") : "");
}

async function lookAfterBot() {
  try {
    chat.bot = await api.bot(person);
  } catch {
    return; // the stream reports a lost connection
  }
  composer.learn(chat.bot);
  chat.head();
  chat.welcome();
  missed = chat.bot.connected ? 0 : missed + 1;
  trouble(missed >= MISSED_LOOKS ? label("chat.away_long") : "");
}

function trouble(words) {
  const place = byId("trouble");
  if (place.textContent !== words) place.textContent = words;
  place.hidden = !words;
}

/** Open an empty chat: this one when it is empty, or that of a new person. */
async function fresh() {
  if (chat.id !== person || world.chat(person).messages.size > 0) await people.add(people.freeName(), FIRST_PERSON[1]);
}

function words() {
  fill(document);
  recording.show();
  const key = byId("language");
  key.textContent = label("app.other");
  key.lang = label("app.other_lang");
}

async function switchLanguage() {
  await speak(other());
  words();
  phone.redraw();
  if (chat.id !== null) {
    chat.open(chat.id);
    composer.open(chat.chat, person);
    people.show(chat.id, person);
  }
}

function drawer(name, open) {
  const place = byId(name);
  // On a wide screen the part has its own column and covers nothing.
  place.classList.toggle("open", open && getComputedStyle(place).position === "fixed");
  byId("scrim").hidden = !document.querySelector(".people.open, .phone.open");
}

function closeDrawers() {
  drawer("people", false);
  drawer("phone", false);
}
