// Five stars, once a conversation is closed.

import { h, icon } from './dom.js';
import { STAR } from './icons.js';

/**
 * @param {import('./texts.js').Say} say
 * @param {(score: number) => void} rate
 * @param {() => void} done takes the focus, which goes with the stars
 * @returns {HTMLElement}
 */
export function createRating(say, rate, done) {
  const star = (/** @type {number} */ n) => h('button', { type: 'button', 'aria-label': say('stars', n), onclick: () => choose(n) }, icon(STAR));
  const stars = h('div.stars', null, ...[1, 2, 3, 4, 5].map(star));
  const words = h('span', { role: 'status' }, say('rate'));
  function choose(/** @type {number} */ n) {
    rate(n);
    words.textContent = say('thanks');
    stars.remove();
    done();
  }
  return h('div.rating', null, words, stars);
}
