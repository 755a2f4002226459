// Keeps one transport up: dials, waits with full jitter after a failure, gives way to the next tier where a network lets
// nothing better through, and climbs back later. It knows nothing of what the frames say, except goodbye.

import { POLL, SOCKET, STREAM, tiers } from './transport.js';

const FIRST = 500; // ms; the wait is random between 0 and this, doubled after each failure
const LONGEST = 10000;
const SLOW = 3000; // a transport that has not opened after this gives way to the next
const SHORT = 5000; // a socket that lived no longer counts against sockets
const AWAY = 30000; // ms hidden or asleep after which a line that seems open may be dead
const CLIMB = 60000; // until the first try to get back to sockets; doubled up to ten times that

/**
 * @typedef {object} Link
 * @property {string} url of the widget's surface
 * @property {() => string} token
 * @property {() => number} after
 * @property {() => string | null} thread
 * @property {() => Promise<void>} enter makes sure that there is a good session; rejects with a Refusal or because nobody answered
 * @property {(frame: any) => void} frame
 * @property {import('./later.js').Later} later
 * @property {(up: boolean, refusal?: import('./http.js').Refusal) => void} state a refusal is final
 */

/** @param {Link} link */
export function connect(link) {
  /** @type {import('./transport.js').Transport | undefined} */
  let line;
  /** @type {import('./transport.js').Transport | undefined} */
  let trial;
  /** @type {number | undefined} */
  let timer;
  /** @type {number | undefined} */
  let climber;
  const over = new AbortController();
  let [tier, strikes, tries, climb] = [SOCKET, 0, 0, CLIMB];
  let [stale, entering, stopped] = [true, false, false]; // stale: ask for a session before dialling
  /** @type {number | undefined} */
  let asked; // how long the server wants us to stay away

  async function attempt() {
    clearTimeout(timer);
    timer = undefined;
    if (line || entering || stopped) return;
    while (stale && !stopped) {
      [stale, entering] = [false, true];
      try {
        await link.enter();
      } catch (err) {
        const refusal = /** @type {import('./http.js').Refusal} */ (err);
        [stale, tier, strikes] = [true, SOCKET, 0]; // nobody answers: that says nothing about sockets
        if (refusal.code && refusal.status < 500 && refusal.status !== 429 && refusal.status !== 408) return halt(refusal); // without a code it is not the server that speaks
        link.state(false);
        return later(refusal.retry_after_ms);
      } finally {
        entering = false;
      }
    }
    if (!stopped && !line) line = dial(tier);
  }

  /** @param {number} [ms] at least; without it a random wait that grows with each failure */
  function later(ms) {
    if (stopped) return;
    clearTimeout(timer);
    const most = Math.min(LONGEST, FIRST * 2 ** tries++);
    timer = setTimeout(attempt, ms === undefined ? Math.random() * most : ms + Math.random() * FIRST);
  }

  /** @param {number} level @param {boolean} [trying] beside the line that is up */
  function dial(level, trying) {
    const born = Date.now();
    let alive = false;
    const patience = level === POLL ? undefined : setTimeout(() => {
      self.close();
      lost({}, true);
    }, SLOW);
    /** @param {import('./transport.js').Ending} why @param {boolean} [slow] */
    function lost(why, slow) {
      clearTimeout(patience);
      if (self === trial) {
        trial = undefined;
        return climbLater();
      }
      if (self !== line) return;
      line = undefined;
      clearTimeout(climber);
      link.state(false);
      const lived = Date.now() - born;
      if (alive && lived > SHORT) tries = 0;
      stale ||= !alive || !!why.expired || why.code === 1008;
      if (level === SOCKET) strikes = slow ? 2 : lived < SHORT && why.code !== 4429 && asked === undefined ? strikes + 1 : 0;
      if (level === SOCKET && strikes > 1) [tier, strikes] = [STREAM, 0];
      else if (level !== SOCKET && !alive) tier = level === STREAM ? POLL : SOCKET;
      later(asked);
      asked = undefined;
    }
    const self = tiers[level]({
      url: link.url,
      token: link.token,
      later: link.later,
      after: link.after,
      thread: link.thread,
      opened() {
        clearTimeout(patience);
        alive = true;
        if (trying) {
          line?.close();
          [line, trial, tier, climb] = [self, undefined, level, CLIMB];
        }
        if (level !== SOCKET) climbLater();
        link.state(true);
      },
      frame(f) {
        if (f.type === 'bye') goodbye(f);
        else link.frame(f);
      },
      ended: lost,
    });
    return self;
  }

  function climbLater() {
    clearTimeout(climber);
    climber = setTimeout(() => {
      climb = Math.min(climb * 2, CLIMB * 10);
      if (line && tier !== SOCKET) trial = dial(SOCKET, true);
    }, climb);
  }

  /** @param {{reason: string, reconnect_after_ms?: number}} bye the close follows by itself */
  function goodbye(bye) {
    if (bye.reason === 'disabled') return halt({ status: 403, code: 'widget_disabled', message: '' });
    stale ||= bye.reason === 'expired';
    asked = bye.reconnect_after_ms || 0;
  }

  function drop() {
    line?.close();
    trial?.close();
    line = trial = undefined;
    clearTimeout(timer);
    clearTimeout(climber);
  }

  /** @param {import('./http.js').Refusal} [refusal] */
  function halt(refusal) {
    stopped = true;
    clearInterval(clock);
    drop();
    over.abort();
    link.state(false, refusal);
  }

  function redial() {
    if (stopped) return;
    drop();
    tries = 0;
    link.state(false);
    void attempt();
  }
  let awake = Date.now();
  /** Back from another tab, or from sleep. A line that died meanwhile says nothing of it for seconds: a new one beside it hears at once what it missed. */
  function wake() {
    if (document.visibilityState !== 'visible') return;
    const away = Date.now() - awake;
    awake = Date.now();
    if (!line) return void attempt();
    line.probe();
    if (away > AWAY) trial ||= dial(tier, true);
  }
  // A laptop may sleep while the page stays on its screen: nothing says so, but the clock has jumped.
  const clock = setInterval(() => {
    if (Date.now() - awake > AWAY) wake();
    else if (document.visibilityState === 'visible') awake = Date.now();
  }, 5000);
  // What was open when the network went may look alive for seconds yet and hear nothing; a new line hears at once.
  addEventListener('online', redial, over);
  document.addEventListener('visibilitychange', wake, over);

  return {
    start: attempt,
    /** @param {object} frame */
    send: (frame) => line?.send(frame),
    /** Begins anew with a fresh look at the session. */
    restart() {
      stale = true;
      redial();
    },
    stop: () => halt(),
  };
}
