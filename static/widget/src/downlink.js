// What the stream and the poll have in common: frames come down in the answers to GETs and go up as POSTs.

import { post, request } from './http.js';

/**
 * @typedef {object} Downlink
 * @property {(path: string, accept?: string) => Promise<Response>} get
 * @property {(ms: number) => void} expect something to be heard within ms, or the line counts as dead; 0 = no longer
 * @property {() => boolean} over
 */

/**
 * @param {import('./transport.js').Line} line
 * @param {(down: Downlink) => Promise<void>} read runs until the line is over; when it returns or throws, the line has ended
 * @returns {import('./transport.js').Transport}
 */
export function downlink(line, read) {
  const abort = new AbortController();
  /** @type {number | undefined} */
  let timer;

  function close() {
    clearTimeout(timer);
    abort.abort();
  }
  /** @param {any} [err] */
  function end(err) {
    if (abort.signal.aborted) return;
    close();
    line.ended({ expired: err?.status === 401 });
  }
  read({
    get: (path, accept) => request(line.url + path, { token: line.token(), accept, signal: abort.signal }),
    expect(ms) {
      clearTimeout(timer);
      if (ms) timer = setTimeout(end, ms);
    },
    over: () => abort.signal.aborted,
  }).then(end, end);

  return {
    send: (frame) => void post(line, frame).catch(end),
    probe() {},
    close,
  };
}
