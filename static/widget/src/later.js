// What few visitors need, fetched when the first of them does: cards, files, pictures, the bell, the ways round a network without sockets.

import { adopt } from './dom.js';
import { chatTexts } from './texts.js';

const AGAIN = 4000; // ms until the next try, while anybody waits

/** @typedef {typeof import('./more.js')} More */
/** @typedef {(use?: (more: More) => void) => More | undefined} Later gives it if it is there; else sees to its coming, and calls use then */

/**
 * @param {import('./loader.js').Shell} shell
 * @param {() => void} came
 * @returns {Later}
 */
export function createLater({ base, looks, launcher }, came) {
  /** @type {More | undefined} */
  let more;
  /** @type {((more: More) => void)[]} */
  const waiting = [];
  let [coming, tries] = [false, 0];
  async function get() {
    coming = true;
    try {
      /** @type {More} */
      const m = await import(base + looks.more_url + '#'.repeat(tries++)); // some browsers remember for good that an address failed
      adopt(launcher.root, m.css);
      Object.assign(chatTexts, m.texts);
      more = m;
      waiting.forEach((use) => use(m));
      came();
    } catch (err) {
      console.warn('Parley: more.js could not be loaded.', err);
      setTimeout(get, AGAIN);
    }
  }
  return (use) => {
    if (more) use?.(more);
    else if (use) waiting.push(use);
    if (!coming) void get();
    return more;
  };
}
