// The panel: header, log, what can be done, composer. It shows a view and reports what the visitor does; it decides nothing.

import { attr, h, icon } from './dom.js';
import { avatar } from './bubble.js';
import { createComposer } from './composer.js';
import { BELL, CLOSE, PERSON } from './icons.js';
import { createLog } from './log.js';

/**
 * @typedef {object} View
 * @property {import('./rows.js').Row[]} rows
 * @property {boolean} loading
 * @property {{kind: string, name: string} | null} typing
 * @property {'agent' | 'waiting' | 'human' | 'closed'} handling
 * @property {boolean} available
 * @property {string} who answers, by name
 * @property {string} [face] address of their picture
 * @property {string} back when somebody is there again; empty where nobody can say
 * @property {string} banner above the log; empty for none
 * @property {string} gone why nothing can be written; empty while it can
 * @property {number} limit characters in a message
 * @property {boolean} handoff whether a person can be asked for
 * @property {'' | 'form' | 'closed' | 'reach' | 'rating'} wants what is asked of the visitor; form and closed stand in place of the composer
 */

/** @typedef {ReturnType<import('./later.js').More['createTray']>} Tray */

/**
 * @typedef {object} Acts
 * @property {() => void} close
 * @property {(text: string) => void} send
 * @property {(empty: boolean) => void} typed
 * @property {() => void} handoff
 * @property {(files: Iterable<File>) => void} files
 * @property {(what: View['wants']) => HTMLElement | undefined} card what asks it, once it is there
 * @property {(use: (menu: HTMLElement) => void) => void} menu
 * @property {() => void} older
 */

/** @typedef {ReturnType<typeof createPanel>} Panel */

/**
 * @param {import('./bubble.js').Craft} craft
 * @param {import('./loader.js').Looks} looks
 * @param {Acts} act
 */
export function createPanel(craft, looks, act) {
  const { say } = craft;
  const face = h('div.face');
  const name = looks.title || say('title');
  const status = h('p.status', { role: 'status' });
  const bell = h('button.close', { type: 'button', 'aria-label': say('settings'), title: say('settings'), 'aria-expanded': 'false', onclick: () => menu() }, icon(BELL));
  const close = h('button.close', { type: 'button', 'aria-label': say('close'), onclick: act.close }, icon(CLOSE));
  const banner = h('div.banner', { role: 'status', hidden: true });
  const log = createLog(craft, act.older);
  const person = h('button.chip', { type: 'button', onclick: act.handoff, hidden: true }, icon(PERSON), say('person'));
  const slot = h('div.slot', { hidden: true });
  const gone = h('p.gone', { dir: 'auto', role: 'status', hidden: true });
  const composer = createComposer(say, act, looks.attachments?.accept);
  const foot = h('div.foot', null, person, slot, gone, composer.node);
  const node = h(
    'section.panel',
    { role: 'dialog', 'aria-label': name, tabindex: '-1', 'data-drop': say('drop'), ondragover: drag, ondragleave: drag, ondrop: drag },
    h('div.head', null, face, h('div.titles', null, h('h2', null, h('bdi', null, name)), status), bell, close),
    banner,
    log.node,
    foot,
  );

  /** Files that are dropped anywhere on the panel go along. @param {DragEvent} e */
  function drag(e) {
    if (!looks.attachments || composer.node.hidden || !e.dataTransfer?.types.includes('Files')) return;
    e.preventDefault();
    node.classList.toggle('drop', e.type === 'dragover');
    if (e.type === 'drop') act.files([...e.dataTransfer.files]);
  }
  /** Opens or closes the bell's menu. @param {boolean} [close] @returns {boolean} whether it was open */
  function menu(close) {
    const open = node.querySelector('.menu');
    if (open?.matches(':focus-within')) bell.focus();
    open?.remove();
    attr(bell, 'aria-expanded', 'false');
    if (!open && !close) {
      act.menu((next) => {
        bell.after(next);
        next.querySelector('input')?.focus();
        attr(bell, 'aria-expanded', 'true');
      });
    }
    return !!open;
  }
  node.addEventListener('focusin', (/** @type {Event} */ e) => {
    if (e.target !== bell && !(/** @type {Element} */ (e.target).closest('.menu'))) menu(true);
  });

  /** @type {View['wants']} */
  let shown = ''; // in the slot
  /** @param {View['wants']} want @returns {boolean | '' | undefined} whether the focus has to move on */
  function fill(want) {
    if (want === shown) return;
    const card = want && act.card(want);
    const writing = foot.matches(':focus-within');
    const words = shown === 'closed' && slot.querySelector('textarea')?.value;
    if (words) composer.value = words; // somebody is there after all
    shown = card ? want : '';
    slot.replaceChildren(...(card ? [card] : []));
    slot.hidden = !card;
    return writing && want !== 'reach' && want !== 'rating';
  }

  /** @param {View} v */
  function headline(v) {
    if (v.handling === 'human') return say('here', v.who || say('human'));
    if (v.handling === 'waiting') return say(v.available ? 'waiting' : 'away');
    if (v.handling === 'closed') return say('closed');
    return v.available ? say('answering', v.who || say('agent')) : v.back ? say('opens', v.back) : say('soon');
  }

  /** To where the visitor goes on: what is asked, else the composer. */
  const focus = () => (composer.node.hidden ? /** @type {HTMLElement} */ (slot.querySelector('input') || node).focus() : composer.focus());

  let faced = '';
  return {
    node,
    focus,
    menu,
    log,
    composer,
    /** @param {View} v */
    render(v) {
      const words = headline(v);
      if (status.textContent !== words) status.textContent = words;
      attr(status, 'class', 'status ' + (v.gone || (v.handling === 'agent' && !v.available) ? 'off' : v.handling));
      const side = v.handling === 'human' ? 'human' : 'agent';
      if (faced !== side + v.who + v.face) {
        faced = side + v.who + v.face;
        face.className = 'face ' + side;
        face.replaceChildren(avatar(side, v.who || say(side), v.face, craft));
      }
      if (banner.textContent !== v.banner) banner.textContent = v.banner;
      banner.hidden = !v.banner;
      person.hidden = !v.handoff;
      gone.textContent = v.gone;
      gone.hidden = !v.gone;
      composer.limit(v.limit);
      const moved = fill(v.wants);
      composer.node.hidden = !!v.gone || shown === 'form' || shown === 'closed';
      if (moved) focus();
    },
  };
}
