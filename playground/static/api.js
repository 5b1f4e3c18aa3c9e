// The calls of the page to the control API (/sim).

/** The control API refused a request; the message is the API's. */
export class Refusal extends Error {}

async function call(method, path, order) {
  const answer = await fetch(`/sim${path}`, {
    method,
    headers: order ? { "content-type": "application/json" } : {},
    body: order ? JSON.stringify(order) : undefined,
  });
  const told = await answer.json();
  if (!answer.ok) throw new Refusal(told.error ?? String(answer.status));
  return told;
}

export const people = () => call("GET", "/users");
export const addPerson = (first_name, language_code) => call("POST", "/users", { first_name, language_code });
export const changePerson = (id, facts) => call("PATCH", `/users/${id}`, facts);
export const addGroup = (title, members) => call("POST", "/chats", { type: "group", title, members });
export const say = (chat, user, text, facts = {}) => call("POST", `/chats/${chat}/messages`, { user, text, ...facts });
export const send = (chat, user, kind) => call("POST", `/chats/${chat}/messages`, { user, kind });
export const edit = (chat, user, id, text) => call("POST", `/chats/${chat}/messages/${id}/edit`, { user, text });
export const tap = (chat, user, id, row, column) => call("POST", `/chats/${chat}/messages/${id}/tap`, { user, row, column });
export const ask = (chat, user, query) => call("POST", `/chats/${chat}/inline`, { user, query });
export const choose = (chat, user, which) => call("POST", `/chats/${chat}/inline/choose`, { user, ...which });
export const bot = (user) => call("GET", `/bot?user=${user ?? 0}`);
export const recording = () => call("GET", "/record");
export const record = (on) => call("POST", "/record", { on });
export const qr = (file) => call("GET", `/files/${encodeURIComponent(file)}/qr`);
export const fileAddress = (file) => `/sim/files/${encodeURIComponent(file)}`;
