// What an answer was taken from.

import { h } from './dom.js';
import { link, safeURL } from './link.js';

/** @param {NonNullable<import('./rows.js').Row['citations']>} citations @param {import('./bubble.js').Craft} craft @returns {HTMLElement} */
export function sources(citations, craft) {
  const list = citations.map((c) =>
    h('li', null, h('details', null, h('summary', { title: c.snippet }, c.title), c.snippet && h('p', null, c.snippet), c.url && safeURL(c.url, craft.base) && link(craft.say('visit'), c.url, craft.base))),
  );
  return h('div.sources', null, h('span', null, craft.say('sources')), h('ol', null, ...list));
}
