// The card above the launcher that shows the newest unread message while the chat is closed.

import { h, icon } from './dom.js';
import { CLOSE } from './icons.js';

/** @param {() => void} open */
export function createPreview(open) {
  const sender = h('b');
  const words = h('span');
  const dismiss = h('button.dismiss', { type: 'button', onclick: () => (node.hidden = true) }, icon(CLOSE));
  const node = h('div.preview', { role: 'status', hidden: true }, h('button.glimpse', { type: 'button', onclick: open }, sender, words), dismiss);
  return {
    node,
    /** @param {string} name @param {string} text @param {import('./texts.js').Say} say */
    show(name, text, say) {
      sender.textContent = name;
      words.textContent = text;
      dismiss.setAttribute('aria-label', say('dismiss'));
      node.hidden = false;
    },
    hide: () => (node.hidden = true),
  };
}
