// The page's copy of the simulator's state: people, chats and messages, built from the event stream.

const TYPING_LASTS = 5000;

/** The copy of the state. Listeners are called with (kind, chat, facts) after each change. */
export class World {
  constructor() {
    this.listeners = [];
    this.clear();
  }

  clear() {
    this.run = null;
    this.people = new Map();
    this.chats = new Map();
    this.replayed = 0;
    this.seen = 0;
  }

  listen(listener) {
    this.listeners.push(listener);
  }

  change(kind, chat = null, facts = {}) {
    for (const listener of this.listeners) listener(kind, chat, facts);
  }

  /** The chat with that id, created at its first event. */
  chat(id) {
    if (!this.chats.has(id)) {
      const fresh = { id, title: null, members: [], messages: new Map(), unread: 0, action: null, keys: [], keyActions: [] };
      this.chats.set(id, { ...fresh, placeholder: null, forced: null, actionEnds: 0, left: false });
    }
    return this.chats.get(id);
  }

  /** The newest message of a chat. */
  newest(id) {
    return [...(this.chats.get(id)?.messages.values() ?? [])].at(-1) ?? null;
  }

  /** Apply one event. Events from before the page was opened cause no notification. */
  take(event) {
    if (event.seq <= this.seen) return;
    this.seen = event.seq;
    const live = event.seq > this.replayed;
    const chat = event.chat === null ? null : this.chat(event.chat);
    TAKERS[event.kind]?.(this, chat, event, live);
  }
}

const TAKERS = {
  person(world, _, { user }) {
    world.people.set(user.id, user);
    world.chat(user.id);
    world.change("people");
  },

  group(world, _, { group }) {
    Object.assign(world.chat(group.id), { title: group.title, members: group.members });
    world.change("people");
  },

  profile(world) {
    world.change("profile");
  },

  message(world, chat, { message }, live) {
    chat.messages.set(message.id, message);
    if (message.from === "bot") fromBot(chat, message);
    if (live && message.from === "bot") chat.unread += 1;
    world.change("message", chat, { message, live });
  },

  edit(world, chat, { message }, live) {
    chat.messages.set(message.id, message);
    world.change("edit", chat, { message, live });
  },

  delete(world, chat, { message_id: id }, live) {
    chat.messages.delete(id);
    if (chat.forced === id) chat.forced = null;
    world.change("delete", chat, { id, live });
  },

  action(world, chat, { action }, live) {
    if (!live) return;
    Object.assign(chat, { action, actionEnds: Date.now() + TYPING_LASTS });
    setTimeout(() => world.change("action", chat), TYPING_LASTS + 50);
    world.change("action", chat);
  },

  toast(world, chat, event, live) {
    if (live) world.change("toast", chat, event);
  },

  results(world, chat, event, live) {
    if (live) world.change("results", chat, event);
  },

  left(world, chat, _, live) {
    chat.left = true;
    world.change("left", chat, { live });
  },
};

function fromBot(chat, message) {
  chat.action = null;
  if (message.markup === "reply") [chat.keys, chat.keyActions] = [message.keys, message.key_actions];
  if (message.markup === "remove") chat.keys = [];
  chat.placeholder = message.placeholder ?? null;
  chat.forced = message.forces_reply ? message.id : null;
}
