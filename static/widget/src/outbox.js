// What the visitor wrote and the server has not yet confirmed. Every line has an id of ours from the start, so that
// sending it again never makes a second message; one is under way at a time, which keeps them in order.

/**
 * @typedef {object} Entry
 * @property {string} client_id
 * @property {string} content
 * @property {import('./conversation.js').Attachment[]} [attachments]
 * @property {number} at ms since 1970
 * @property {boolean} [failed] the server refused it; only the visitor can send it again
 * @property {string} [problem] what the server said
 */

const PAUSE = 5000; // ms before trying again what was refused for now, when the server does not say how long
const RETRY = new Set(['rate_limited', 'unavailable']);

/** A UUID, or as many random digits on pages without TLS, where browsers withhold it. */
export const uuid = () => crypto.randomUUID?.() || crypto.getRandomValues(new BigUint64Array(2)).join('');

/**
 * @param {import('./store.js').Store} store holds the entries under `out:`, one key each, so that two tabs do not overwrite one another
 * @param {(frame: object) => void} send
 * @param {() => void} changed
 */
export function createOutbox(store, send, changed) {
  /** @type {Entry[]} */
  let entries = store.names('out:').map(store.get).sort((a, b) => a.at - b.at);
  let up = false;
  /** @type {Entry | undefined} */
  let under; // way
  /** @type {number | undefined} */
  let pause;

  function pump() {
    if (!up || under || pause) return;
    under = entries.find((e) => !e.failed);
    if (under) send({ type: 'message', client_id: under.client_id, content: under.content, attachments: under.attachments?.map((a) => a.id) });
  }
  /** @param {Entry} e */
  function save(e) {
    store.set('out:' + e.client_id, e);
    changed();
  }
  /** @param {string | undefined} id */
  const find = (id) => entries.find((e) => e.client_id === id);
  /** @param {Entry} e */
  function remove(e) {
    entries = entries.filter((other) => other !== e);
    store.remove('out:' + e.client_id);
    if (under === e) under = undefined;
    changed();
    pump();
  }

  return {
    entries: () => entries,
    /** @param {string} content @param {import('./conversation.js').Attachment[]} [attachments] */
    add(content, attachments) {
      const e = { client_id: uuid(), content, attachments, at: Math.max(Date.now(), (entries.at(-1)?.at || 0) + 1) };
      entries.push(e);
      save(e);
      pump();
    },
    /** Takes out what the server has. @param {string | undefined} id @returns {Entry | undefined} */
    settle(id) {
      const e = find(id);
      if (e) remove(e);
      return e;
    },
    /** @param {{client_id?: string, code: string, message: string, retry_after_ms?: number}} error */
    refuse(error) {
      const e = find(error.client_id);
      if (!e) return;
      e.problem = error.message;
      e.failed = !RETRY.has(error.code);
      if (under === e) under = undefined;
      if (!e.failed) {
        clearTimeout(pause);
        pause = setTimeout(() => {
          pause = undefined;
          pump();
        }, error.retry_after_ms ?? PAUSE);
      }
      save(e);
      pump();
    },
    /** @param {string} id */
    retry(id) {
      const e = find(id);
      if (!e) return;
      e.failed = false;
      e.problem = undefined;
      save(e);
      pump();
    },
    /** @param {string} id */
    discard(id) {
      const e = find(id);
      if (e) remove(e);
    },
    /** Whatever was under way when the line broke is sent again once it is back. @param {boolean} on */
    online(on) {
      up = on;
      under = undefined;
      pump();
    },
  };
}
