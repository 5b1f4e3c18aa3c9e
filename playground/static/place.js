// Remembers the open chat of this tab, so that a reload opens it again.

const KEY = "playground.place";

/** Store the open chat and the person who writes in it. */
export function keep(run, chat, person) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ run, chat, person }));
  } catch {
    // Without storage, a reload opens the chat of the first person.
  }
}

/** The stored chat and person, if they still exist. */
export function kept(world) {
  try {
    const { run, chat, person } = JSON.parse(sessionStorage.getItem(KEY)) ?? {};
    return run === world.run && world.chats.has(chat) && world.people.has(person) ? { chat, person } : null;
  } catch {
    return null;
  }
}
