// Five stars and a remark, once a conversation is closed.

import { h, icon } from './dom.js';
import { STAR } from './icons.js';

/**
 * @param {import('./texts.js').Say} say
 * @param {(score: number, comment: string) => void} rate is called once, also for whoever leaves after choosing the stars
 * @param {() => void} done takes the focus, which goes with the form
 * @returns {HTMLElement}
 */
export function createRating(say, rate, done) {
  let score = 0;
  const star = (/** @type {number} */ n) => h('label', null, h('input.sr', { type: 'radio', name: 'stars', value: n, onchange: () => choose(n) }), icon(STAR), h('span.sr', null, say('stars', n)));
  const labels = [1, 2, 3, 4, 5].map(star);
  const comment = h('textarea', { rows: '2', maxlength: '2000', placeholder: say('comment'), 'aria-label': say('comment') });
  const rest = h('div.rest', { hidden: true }, comment, h('button.primary', { type: 'submit' }, say('send')));
  const node = h('form.rating', { onsubmit }, h('fieldset', null, h('legend', null, say('rate')), h('div.stars', null, ...labels)), rest);

  /** @param {number} n */
  function choose(n) {
    if (!score) addEventListener('pagehide', tell, { once: true });
    score = n;
    labels.forEach((label, i) => label.classList.toggle('on', i < n));
    rest.hidden = false;
  }
  function tell() {
    removeEventListener('pagehide', tell);
    if (score) rate(score, comment.value.trim());
    score = 0;
  }
  /** @param {Event} e */
  function onsubmit(e) {
    e.preventDefault();
    tell();
    node.replaceChildren(h('p', { role: 'status' }, say('thanks')));
    done();
  }
  return node;
}
