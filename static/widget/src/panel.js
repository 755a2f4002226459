// The panel: header, log, what can be done, composer. It shows a view and reports what the visitor does; it decides nothing.

import { attr, h, icon } from './dom.js';
import { avatar } from './bubble.js';
import { createComposer } from './composer.js';
import { createForm } from './form.js';
import { CLOSE, PERSON } from './icons.js';
import { createLog } from './log.js';
import { createRating } from './rating.js';

/**
 * @typedef {object} View
 * @property {import('./rows.js').Row[]} rows
 * @property {boolean} loading
 * @property {{kind: string, name: string} | null} typing
 * @property {'agent' | 'waiting' | 'human' | 'closed'} handling
 * @property {boolean} available
 * @property {string} who answers, by name
 * @property {string} banner above the log; empty for none
 * @property {string} gone why nothing can be written; empty while it can
 * @property {number} limit characters in a message
 * @property {boolean} handoff whether a person can be asked for
 * @property {boolean} ratable
 * @property {string[]} questions to be answered before the composer is shown
 */

/**
 * @typedef {object} Acts
 * @property {() => void} close
 * @property {(text: string) => void} send
 * @property {(empty: boolean) => void} typed
 * @property {() => void} handoff
 * @property {(score: number) => void} rate
 * @property {(fields: Record<string, string>) => Promise<void>} answer
 * @property {() => void} answered
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
  const title = h('h2', { id: 'title' }, looks.title || say('title'));
  const status = h('p.status', { role: 'status' });
  const close = h('button.close', { type: 'button', 'aria-label': say('close'), onclick: act.close }, icon(CLOSE));
  const banner = h('div.banner', { role: 'status', hidden: true });
  const log = createLog(craft, act.older);
  const person = h('button.chip', { type: 'button', onclick: act.handoff, hidden: true }, icon(PERSON), say('person'));
  const slot = h('div.slot', { hidden: true });
  const gone = h('p.gone', { role: 'status', hidden: true });
  const composer = createComposer(say, act);
  const foot = h('div.foot', null, person, slot, gone, composer.node);
  const node = h('section.panel', { role: 'dialog', 'aria-labelledby': 'title', tabindex: '-1' }, h('div.head', null, face, h('div.titles', null, title, status), close), banner, log.node, foot);

  let shown = ''; // in the slot
  /** @param {View} v */
  function fill(v) {
    const want = v.questions.length ? 'form' : v.ratable ? 'rating' : '';
    if (want === shown) return;
    shown = want;
    slot.replaceChildren();
    slot.hidden = !want;
    if (want === 'form') {
      const writing = composer.node.matches(':focus-within');
      slot.append(createForm(say, { fields: v.questions, required: looks.contact_info_mode === 'required', submit: act.answer, done: act.answered }));
      if (writing) slot.querySelector('input')?.focus();
    } else if (want) slot.append(createRating(say, act.rate, focus));
  }

  /** @param {View} v */
  function headline(v) {
    if (v.handling === 'human') return say('here', v.who || say('human'));
    if (v.handling === 'waiting') return say(v.available ? 'waiting' : 'away');
    if (v.handling === 'closed') return say('closed');
    return v.available ? say('answering', v.who || say('agent')) : say('soon');
  }

  /** To where the visitor goes on: what is asked, else the composer. */
  const focus = () => (shown === 'form' ? slot.querySelector('input')?.focus() : composer.node.hidden ? node.focus() : composer.focus());

  let faced = '';
  return {
    node,
    focus,
    log,
    composer,
    /** @param {View} v */
    render(v) {
      const words = headline(v);
      if (status.textContent !== words) status.textContent = words;
      attr(status, 'class', 'status ' + (v.gone || (v.handling === 'agent' && !v.available) ? 'off' : v.handling));
      const side = v.handling === 'human' ? 'human' : 'agent';
      if (faced !== side + v.who) {
        faced = side + v.who;
        face.className = 'face ' + side;
        face.replaceChildren(avatar(side, v.who || say(side)));
      }
      if (banner.textContent !== v.banner) banner.textContent = v.banner;
      banner.hidden = !v.banner;
      person.hidden = !v.handoff;
      gone.textContent = v.gone;
      gone.hidden = !v.gone;
      composer.limit(v.limit);
      fill(v);
      composer.node.hidden = !!v.gone || v.questions.length > 0;
      log.render(v.rows, v.typing, v.loading);
    },
  };
}
