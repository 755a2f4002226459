// The socket: frames both ways on one WebSocket.

const CAPABILITIES = ['delta', 'markdown', 'attachments']; // what this client understands beyond plain frames
const QUIET = 45000; // ms without a word after which to ask whether anybody is there
const ANXIOUS = 4000; // the same while an ack is due
const PATIENCE = 4000; // for the pong; ANXIOUS + PATIENCE stays under the 10 s in which a dead line must be noticed

/** @type {import('./transport.js').Dial} */
export function dialSocket(line) {
  let [over, greeted, due] = [false, false, 0];
  /** @type {number | undefined} */
  let timer;
  /** @type {WebSocket | undefined} */
  let socket;

  function close() {
    over = true;
    clearTimeout(timer);
    socket?.close();
  }
  /** @param {import('./transport.js').Ending} why */
  function end(why) {
    if (over) return;
    close();
    line.ended(why);
  }
  function listen() {
    clearTimeout(timer);
    timer = setTimeout(probe, due ? ANXIOUS : QUIET);
  }
  function probe() {
    send({ type: 'ping', t: Date.now() });
    clearTimeout(timer);
    timer = setTimeout(end, PATIENCE, {});
  }
  /** @param {any} frame */
  function send(frame) {
    if (over || socket?.readyState !== 1) return;
    socket.send(JSON.stringify(frame));
    if (frame.type === 'message' && !due++) listen();
  }

  try {
    socket = new WebSocket(line.url.replace(/^http/, 'ws') + '/socket', ['parley.v1', 'bearer.' + line.token()]);
  } catch {
    setTimeout(end, 0, {}); // forbidden by the page's policy
    return { send, probe, close };
  }
  socket.onopen = () => send({ type: 'hello', after_seq: line.after(), thread_id: line.thread(), capabilities: CAPABILITIES });
  socket.onclose = (e) => end({ code: e.code });
  socket.onmessage = (e) => {
    if (over) return;
    const frame = JSON.parse(e.data);
    if (frame.client_id && frame.type !== 'message') due = Math.max(0, due - 1);
    listen();
    if (frame.type === 'session' && !greeted) line.opened();
    greeted ||= frame.type === 'session';
    line.frame(frame);
  };
  return { send, probe, close };
}
