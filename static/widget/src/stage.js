// The panel's place on the screen: over all of it on small ones, following the on-screen keyboard, and with keys of its own.

import { adopt } from './dom.js';

/** When the panel covers the whole page. The style sheet says the same. */
const SMALL = '(max-width: 480px), (max-height: 480px)';

/**
 * Keeps the panel within what the on-screen keyboard leaves visible.
 * @param {ShadowRoot} root
 * @param {AbortSignal} signal ends it
 */
export function fit(root, signal) {
  const view = window.visualViewport;
  if (!view) return;
  const sheet = adopt(root, '');
  const follow = () => {
    const zoomed = view.scale > 1.01; // pinched: the visitor wants to see the panel larger, not smaller
    sheet.replaceSync(zoomed ? '' : `.frame{--height:${view.height}px;--top:${view.offsetTop}px}`);
  };
  follow();
  for (const event of ['resize', 'scroll']) view.addEventListener(event, follow, { signal });
}

/**
 * Escape closes, the focus stays out of the page while the panel covers it, and no key reaches the page's own shortcuts.
 * @param {HTMLElement} frame
 * @param {() => HTMLElement} panel
 * @param {() => boolean} open
 * @param {() => void} close
 * @param {AbortSignal} signal ends it
 */
export function keys(frame, panel, open, close, signal) {
  for (const event of ['keydown', 'keyup', 'keypress']) frame.addEventListener(event, (e) => e.stopPropagation());
  frame.addEventListener('keydown', (e) => {
    if (e.key === 'Escape' && open() && !e.isComposing) close();
  });
  const host = /** @type {ShadowRoot} */ (frame.getRootNode()).host;
  const back = (/** @type {Event} */ e) => {
    if (e.target !== host && open() && matchMedia(SMALL).matches) panel().focus();
  };
  document.addEventListener('focusin', back, { signal });
}
