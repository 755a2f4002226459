// Links that others wrote. Only addresses that cannot run anything become links.

import { h } from './dom.js';

/**
 * The address in full, or nothing when a browser must not be sent there.
 * @param {string} url
 * @param {string} [base] for addresses that are relative
 * @returns {string | undefined}
 */
export function safeURL(url, base) {
  try {
    const u = new URL(url, base);
    if (/^(https?|mailto):$/.test(u.protocol)) return u.href;
  } catch {
    // relative or not an address at all
  }
}

/**
 * A link in a new tab that learns nothing about this page, or the bare text if the address is not safe.
 * @param {string} text
 * @param {string} url
 * @param {string} [base] for addresses that are relative
 * @returns {Node}
 */
export function link(text, url, base) {
  const href = safeURL(url, base);
  return href ? h('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow' }, text) : document.createTextNode(text);
}

// An address ends before the punctuation that belongs to the sentence around it.
export const BARE = 'https?:\\/\\/[^\\s<>"\'`]*[^\\s<>"\'`.,;:!?)\\]}*_]';

/**
 * Plain text with its addresses turned into links.
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export function linkify(text) {
  const out = [];
  let at = 0;
  for (const m of text.matchAll(new RegExp(BARE, 'gi'))) {
    out.push(text.slice(at, m.index), link(m[0], m[0]));
    at = m.index + m[0].length;
  }
  out.push(text.slice(at));
  return out;
}
