// Where one stood in this tab, so that a reload returns there.

const KEY = "playground.place";

/** Remember the open chat and who writes in it. */
export function keep(run, chat, person) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ run, chat, person }));
  } catch {
    // A reload then begins with the first person.
  }
}

/** The chat and the person of before, if the world still knows them. */
export function kept(world) {
  try {
    const { run, chat, person } = JSON.parse(sessionStorage.getItem(KEY)) ?? {};
    return run === world.run && world.chats.has(chat) && world.people.has(person) ? { chat, person } : null;
  } catch {
    return null;
  }
}
