// One row of the log as elements. The words of a message never change; what stands around them does.

import { attr, h, icon } from './dom.js';
import { SPARK } from './icons.js';
import { link, safeURL } from './link.js';
import { markdown, plain } from './markdown.js';

/**
 * @typedef {object} Craft what rows need to draw themselves
 * @property {import('./texts.js').Say} say
 * @property {string} locale
 * @property {string} base where the server is
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
 * @returns {HTMLElement}
 */
export function avatar(side, name) {
  return h('span.avatar', { 'aria-hidden': 'true' }, side === 'human' ? initials(name) : icon(SPARK));
}

/** @param {NonNullable<import('./rows.js').Row['citations']>} citations @param {Craft} craft */
function sources(citations, craft) {
  const list = citations.map((c) =>
    h('li', null, h('details', null, h('summary', { title: c.snippet }, c.title), c.snippet && h('p', null, c.snippet), c.url && safeURL(c.url, craft.base) && link(craft.say('visit'), c.url, craft.base))),
  );
  return h('div.sources', null, h('span', null, craft.say('sources')), h('ol', null, ...list));
}

/** @param {import('./rows.js').Row} row @param {Craft} craft */
function aside(row, craft) {
  const time = row.side === 'day' ? new Intl.DateTimeFormat(craft.locale, { weekday: 'long', day: 'numeric', month: 'long' }) : null;
  return { node: h('div.' + row.side, null, h('span', null, time ? dayName(row.at, craft.locale) || time.format(row.at) : row.content)), update() {} };
}

/** Today and yesterday in the visitor's language, else nothing. @param {number} at @param {string} locale */
function dayName(at, locale) {
  const ago = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86400000);
  const name = ago < 2 ? new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(-ago, 'day') : '';
  return name && name[0].toLocaleUpperCase(locale) + name.slice(1);
}

/**
 * @param {import('./rows.js').Row} first
 * @param {Craft} craft
 * @returns {Drawn}
 */
export function draw(first, craft) {
  if (first.side === 'day' || first.side === 'note' || first.side === 'system') return aside(first, craft);
  const clock = new Intl.DateTimeFormat(craft.locale, { timeStyle: 'short' });
  const meta = h('div.meta');
  const body = h('div.bubble', { dir: 'auto' });
  const after = [
    ...(first.attachments || []).map((a) => h('div.file', null, link(a.name, a.url, craft.base))),
    first.citations?.length && sources(first.citations, craft),
  ];
  const name = h('div.name');
  const node = h('div', null, first.side !== 'visitor' && avatar(first.side, first.name), name, body, ...after, meta);
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
          h('span', null, `${say('failed')} ${row.problem || ''}`),
          h('button', { type: 'button', onclick: () => craft.retry(id) }, say('retry')),
          h('button', { type: 'button', onclick: () => craft.discard(id) }, say('discard')),
        ];
      } else if (row.state === 'sending') parts = [row.problem || say('sending')];
      else if (row.at) parts = [h('time', { datetime: new Date(row.at).toISOString() }, clock.format(row.at)), row.seen ? '\u00a0· ' + say('seen') : ''];
      meta.replaceChildren(...parts);
    },
  };
}
