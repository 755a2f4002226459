// One row of the log as elements. The words of a message never change; what stands around them does.

import { attr, h, icon } from './dom.js';
import { SPARK } from './icons.js';
import { markdown, plain } from './markdown.js';
import { dayName, timeOf } from './time.js';

/**
 * @typedef {object} Craft what rows need to draw themselves
 * @property {import('./texts.js').Say} say
 * @property {string} locale
 * @property {string} base where the server is
 * @property {import('./later.js').Later} later
 * @property {(id: string) => void} retry
 * @property {(id: string) => void} discard
 */

/**
 * @typedef {object} Drawn
 * @property {HTMLElement} node
 * @property {(row: import('./rows.js').Row) => void} update
 */

/** @param {string} name */
const initials = (name) => name.split(/\s+/).slice(0, 2).map((word) => [...word][0] || '').join('').toUpperCase();

/**
 * @param {string} side
 * @param {string} name
 * @param {string | undefined} face address of a picture
 * @param {Craft} craft
 * @returns {HTMLElement}
 */
export function avatar(side, name, face, { later, base }) {
  const node = h('span.avatar', { 'aria-hidden': 'true' }, side === 'human' ? initials(name) : icon(SPARK));
  if (face) later((more) => more.face(node, face, base));
  return node;
}

/** @param {import('./rows.js').Row} row @param {Craft} craft */
function aside(row, craft) {
  return { node: h('div.' + row.side, null, h('span', null, row.side === 'day' ? dayName(row.at, craft.locale) : row.content)), update() {} };
}

/**
 * @param {import('./rows.js').Row} first
 * @param {Craft} craft
 * @returns {Drawn}
 */
export function draw(first, craft) {
  if (first.side === 'day' || first.side === 'note' || first.side === 'system') return aside(first, craft);
  const meta = h('div.meta');
  const body = h('div.bubble', { dir: 'auto' });
  const after = (first.attachments || []).map((a) => {
    const box = h(/^image\//.test(a.mime) ? 'div.image' : 'div.file');
    craft.later((more) => more.file(box, a, craft));
    return box;
  });
  const name = h('div.name');
  const node = h('div', null, first.side !== 'visitor' && avatar(first.side, first.name, first.face, craft), name, body, ...after, meta);
  body.hidden = !first.content;
  const { citations } = first;
  if (citations?.length) craft.later((more) => meta.before(more.sources(citations, craft)));
  /** @type {string | undefined} */
  let shown;
  return {
    node,
    update(row) {
      node.className = ['row', row.side, row.cont && 'cont', row.more && 'more', row.state].filter(Boolean).join(' ');
      name.textContent = row.name;
      if (row.content !== shown) body.replaceChildren(...(row.rich ? markdown : plain)((shown = row.content)));
      const { say } = craft;
      attr(meta, 'aria-live', row.state === 'failed' ? 'assertive' : 'off');
      /** @type {(Node | string)[]} */
      let parts = [];
      if (row.state === 'failed') {
        const id = /** @type {string} */ (row.id);
        parts = [
          h('span', null, say('failed') + ' ', h('bdi', null, row.problem)),
          h('button', { type: 'button', onclick: () => craft.retry(id) }, say('retry')),
          h('button', { type: 'button', onclick: () => craft.discard(id) }, say('discard')),
        ];
      } else if (row.state === 'sending') parts = [h('bdi', null, row.problem || say('sending'))];
      else if (row.at) parts = [h('time', { datetime: new Date(row.at).toISOString() }, timeOf(row.at, craft.locale)), row.seen ? '\u00a0· ' + say('seen') : ''];
      meta.replaceChildren(...parts);
    },
  };
}
