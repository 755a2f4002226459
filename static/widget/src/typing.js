// Tells the other side that the visitor is typing, seldom enough to cost nothing.

const EVERY = 3000; // ms between two hints while typing goes on
const IDLE = 4000; // ms without a key after which it has stopped

/** @param {(on: boolean) => void} tell */
export function createTyping(tell) {
  let last = 0;
  /** @type {number | undefined} */
  let timer;
  function stop() {
    clearTimeout(timer);
    if (last) tell(false);
    last = 0;
  }
  return {
    touch() {
      clearTimeout(timer);
      timer = setTimeout(stop, IDLE);
      if (Date.now() - last < EVERY) return;
      last = Date.now();
      tell(true);
    },
    stop,
    /** The message itself has gone out, which says as much. */
    sent() {
      clearTimeout(timer);
      last = 0;
    },
  };
}
