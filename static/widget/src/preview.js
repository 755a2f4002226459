// The card above the launcher that shows the newest unread message while the chat is closed.

import { h, icon } from './dom.js';
import { CLOSE } from './icons.js';

/** @param {HTMLElement} frame @param {() => void} open */
export function createPreview(frame, open) {
  const sender = h('bdi');
  const words = h('bdi');
  const dismiss = h('button.dismiss', { type: 'button', onclick: () => (node.hidden = true) }, icon(CLOSE));
  const node = h('div.preview', { role: 'status', hidden: true }, h('button.glimpse', { type: 'button', onclick: open }, h('b', null, sender), h('span', null, words)), dismiss);
  frame.prepend(node);
  return {
    /** @param {import('./conversation.js').Message} m @param {import('./texts.js').Say} say */
    show(m, say) {
      sender.textContent = m.author.name || say(m.author.kind);
      words.textContent = flat(m.content) || m.attachments?.[0]?.name || '';
      dismiss.setAttribute('aria-label', say('dismiss'));
      node.hidden = false;
    },
    hide: () => (node.hidden = true),
  };
}

/** One line that says roughly the same, for previews. @param {string} text */
const flat = (text) => text.replace(/[*_`#>]+|!?\[([^\]]{1,300})\]\([^)]{1,2000}\)/g, '$1').replace(/\s+/g, ' ').trim().slice(0, 200);
