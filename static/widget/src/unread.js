// Counts what the visitor has not seen, shows it on the launcher, and tells the other side what has been seen.

import { flat } from './markdown.js';
import { createPreview } from './preview.js';

/**
 * @param {import('./loader.js').Shell} shell
 * @param {import('./visit.js').Visit} visit
 */
export function createUnread({ store, launcher, emit, set }, { talk, read }) {
  const preview = createPreview(() => set(true));
  launcher.frame.prepend(preview.node);
  let told = 0;
  /** @param {boolean} open whether the log is on the screen @param {import('./texts.js').Say} say */
  return (open, say) => {
    if (open && talk.loaded && talk.last > (store.get('read') ?? 0) && document.visibilityState === 'visible') read(talk.last);
    const unread = talk.known ? talk.unread(store.get('read') ?? 0) : [];
    if (open || !unread.length) preview.hide();
    if (unread.length === told) return;
    const grew = unread.length > told;
    told = unread.length;
    launcher.unread(told);
    const m = unread.at(-1);
    if (grew && m && !open) preview.show(m.author.name || say(m.author.kind), flat(m.content), say);
    emit('unread', told);
  };
}
