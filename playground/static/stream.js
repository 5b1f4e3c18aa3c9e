// The event stream: starts with the first event, continues after interruptions, and notices a restarted simulator.

const RETRY = 1000;

/** Apply the events to the state. `states` is called with "open", "lost" and "restarted". */
export function follow(world, states) {
  const source = new EventSource(`/sim/stream?after=${world.seen}`);

  source.addEventListener("hello", (hello) => {
    const { run, last } = JSON.parse(hello.data);
    if (world.run !== null && world.run !== run) {
      source.close();
      world.clear();
      states("restarted");
      follow(world, states);
      return;
    }
    if (world.run === null) Object.assign(world, { run, replayed: last });
    states("open");
    if (last === 0) world.change("replayed");
  });

  source.addEventListener("message", (message) => {
    world.take(JSON.parse(message.data));
    if (world.seen === world.replayed) world.change("replayed");
  });

  source.addEventListener("error", () => {
    states("lost");
    if (source.readyState !== EventSource.CLOSED) return; // the browser reconnects by itself
    setTimeout(() => follow(world, states), RETRY);
  });
}
