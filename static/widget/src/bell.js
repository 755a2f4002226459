// Whether a new message rings, and whether the page's title counts what is unread. Both are off until the visitor wishes.

import { h } from './dom.js';

/** @typedef {{sound?: boolean, badge?: boolean}} Wishes */

/**
 * @param {import('./store.js').Store} store keeps the wishes, once it keeps anything
 * @param {number} unread by now
 */
export function createBell(store, unread) {
  /** @type {AudioContext | undefined} */
  let audio;
  let [base, shown] = ['', ''];
  /** @returns {Wishes} */
  const wishes = () => store.get('bell') || {};

  /** Two short notes, made here. */
  function ring() {
    audio ||= new AudioContext();
    void audio.resume();
    for (const [i, hertz] of [660, 880].entries()) {
      const [at, tone, gain] = [audio.currentTime + i * 0.11, audio.createOscillator(), audio.createGain()];
      tone.frequency.value = hertz;
      gain.gain.setValueAtTime(0.12, at);
      gain.gain.exponentialRampToValueAtTime(0.001, at + 0.28);
      tone.connect(gain).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.3);
    }
  }

  const bell = {
    /** How much is unread now. @param {number} n */
    count(n) {
      if (n > unread && wishes().sound) ring();
      unread = n;
      if (document.title !== shown) base = document.title; // the page has a new one
      const want = n && wishes().badge && document.visibilityState === 'hidden' ? `(${n}) ${base}` : base;
      shown = want;
      if (document.title !== want) document.title = want;
    },
    /** The menu. @param {import('./texts.js').Say} say */
    menu(say) {
      const box = (/** @type {'sound' | 'badge'} */ name) => {
        const input = h('input', { type: 'checkbox', role: 'switch', onchange: () => toggle(name, input.checked) });
        input.checked = !!wishes()[name];
        return h('label', null, h('span', null, say(name)), input);
      };
      return h('div.menu', { role: 'group', 'aria-label': say('settings') }, box('sound'), box('badge'));
    },
  };
  /** @param {'sound' | 'badge'} name @param {boolean} on */
  function toggle(name, on) {
    store.set('bell', { ...wishes(), [name]: on });
    if (on && name === 'sound') ring(); // so that one knows it, and the browser allows it from now on
    bell.count(unread);
  }
  return bell;
}
