// Counts what the visitor has not seen, shows it on the launcher, and tells the other side what has been seen.

/**
 * @param {import('./loader.js').Shell} shell
 * @param {import('./visit.js').Visit} visit
 * @param {import('./later.js').Later} later
 */
export function createUnread({ store, launcher, emit, set }, { talk, read }, later) {
  /** @type {ReturnType<import('./later.js').More['createPreview']> | undefined} */
  let preview;
  let told = 0;
  /** @param {boolean} open whether the log is on the screen @param {import('./texts.js').Say} say */
  return (open, say) => {
    if (open && talk.loaded && talk.last > (store.get('read') ?? 0) && document.visibilityState === 'visible') read(talk.last);
    const unread = talk.known ? talk.unread(store.get('read') ?? 0) : [];
    if (open || !unread.length) preview?.hide();
    if (unread.length === told) return told;
    const grew = unread.length > told;
    told = unread.length;
    launcher.unread(told);
    const m = unread.at(-1);
    if (grew && m && !open) {
      later(({ createPreview }) => {
        preview ||= createPreview(launcher.frame, () => set(true));
        if (told) preview.show(m, say);
      });
    }
    emit('unread', told);
    return told;
  };
}
