// Files in the log: images as they are, in a frame whose size is known before they come; everything else as a card.

import { h, icon } from './dom.js';
import { FILE } from './icons.js';
import { link, safeURL } from './link.js';
import { paint } from './picture.js';

const UNITS = /** @type {const} */ (['byte', 'kilobyte', 'megabyte']);

/** @param {number} bytes @param {string} locale @returns {string} such as 1.2 MB */
export function size(bytes, locale) {
  const step = bytes < 1000 ? 0 : bytes < 999500 ? 1 : 2;
  return new Intl.NumberFormat(locale, { style: 'unit', unit: UNITS[step], unitDisplay: step ? 'short' : 'long', maximumFractionDigits: step && step - 1 }).format(bytes / 1000 ** step);
}

/** Whether the address is the server's own: the chat asks nobody else for anything. @param {string | undefined} url @param {string} base */
const ours = (url, base) => !!url && new URL(url).origin === new URL(base).origin;

/**
 * Fills the box that the log has kept free for a file.
 * @param {HTMLElement} box of class image or file
 * @param {import('./conversation.js').Attachment} a
 * @param {import('./bubble.js').Craft} craft
 */
export function file(box, a, { base, locale }) {
  const url = safeURL(a.url, base);
  const card = () => [icon(FILE), h('span', null, h('b', null, h('bdi', null, a.name)), h('small', null, size(a.size, locale)))];
  const node = url ? /** @type {HTMLElement} */ (link('', url)) : h('span');
  box.replaceChildren(node);
  const plain = () => {
    box.className = 'file';
    node.replaceChildren(...card());
  };
  if (box.className !== 'image' || !ours(url, base)) return plain();
  const canvas = h('canvas', { role: 'img', 'aria-label': a.name });
  node.append(canvas);
  paint(canvas, /** @type {string} */ (url), 640).catch(plain);
}

/**
 * Puts somebody's picture in place of their initials.
 * @param {HTMLElement} node
 * @param {string} address
 * @param {string} base
 */
export function face(node, address, base) {
  const url = safeURL(address, base);
  if (!ours(url, base)) return;
  const canvas = h('canvas');
  paint(canvas, /** @type {string} */ (url), 96).then(() => node.replaceChildren(canvas), () => {});
}
