// The button in the page's corner, with its badge. It owns the shadow root and the frame that everything else goes into.

import { adopt, attr, h, icon } from './dom.js';
import { colour, ink, legible } from './colour.js';
import { CHAT, DOWN } from './icons.js';
import css from './launcher.css';

/**
 * @typedef {object} Launcher
 * @property {HTMLElement} host the one element in the page
 * @property {ShadowRoot} root
 * @property {HTMLElement} frame everything the widget draws goes in here
 * @property {(say: import('./texts.js').Say) => void} speak
 * @property {(on: boolean) => void} expanded
 * @property {(on: boolean) => void} busy
 * @property {(n: number) => void} unread
 * @property {(on?: boolean) => boolean} visible shows or hides the button, and says which it is
 * @property {() => void} focus
 */

/**
 * @param {import('./loader.js').Looks} looks
 * @param {() => void} toggle
 * @param {() => void} close also what is only about to open
 * @returns {Launcher}
 */
export function createLauncher(looks, toggle, close) {
  const host = document.createElement('parley-chat');
  const root = host.attachShadow({ mode: ROOT_MODE });
  const fill = colour(looks.primary_color, '#1f4fd8');
  adopt(root, css);
  adopt(
    root,
    `.frame{--fill:${fill};--ink:${ink(fill, colour(looks.text_color, '#ffffff'))};--accent:${legible(fill, '#f3f4f7')}}` +
      `@media (prefers-color-scheme:dark){.frame{--accent:${legible(fill, '#23272f')}}}`,
  );

  let [unread, open] = [0, false];
  /** @type {import('./texts.js').Say} */
  let say;
  const badge = h('span.badge', { 'aria-hidden': 'true', hidden: true });
  const button = h('button.launcher', { type: 'button', onclick: toggle, onkeydown: (/** @type {KeyboardEvent} */ e) => e.key === 'Escape' && close(), 'aria-expanded': 'false', 'aria-haspopup': 'dialog' }, icon(CHAT, 'chat'), icon(DOWN, 'down'), badge);
  const frame = h('div.frame' + (looks.position === 'bottom_left' ? '.left' : ''), null, button);
  root.append(frame);

  function label() {
    const name = say(open ? 'close' : 'open');
    attr(button, 'aria-label', unread && !open ? `${name}, ${say('unread', unread)}` : name);
    attr(button, 'aria-expanded', String(open));
    badge.textContent = unread > 99 ? '99+' : String(unread);
    badge.hidden = !unread || open;
  }

  return {
    host,
    root,
    frame,
    speak(next) {
      say = next;
      label();
    },
    expanded(on) {
      open = on;
      frame.classList.toggle('opened', on);
      label();
    },
    busy: (on) => attr(button, 'aria-busy', on && 'true'),
    unread(n) {
      unread = n;
      label();
    },
    visible: (on = !frame.classList.contains('bare')) => !frame.classList.toggle('bare', !on),
    focus: () => button.focus(),
  };
}
