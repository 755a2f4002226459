// The log: draws rows, keeps those that stay, and stays at the bottom unless the reader has gone up.

import { attr, h, icon } from './dom.js';
import { avatar, draw } from './bubble.js';
import { DOWN } from './icons.js';

const NEAR = 48; // px from the bottom that still count as being there
const TOP = 120; // px from the top at which older messages are fetched

const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/**
 * @param {import('./bubble.js').Craft} craft
 * @param {() => void} older wants the page of history above
 */
export function createLog(craft, older) {
  const { say } = craft;
  /** @type {Map<string, import('./bubble.js').Drawn & {row?: string}>} */
  const drawn = new Map();
  let [pinned, first, newest, top] = [true, true, '', 0];

  const rows = h('div.rows');
  const dots = h('div.bubble.dots', { 'aria-hidden': 'true' }, h('i'), h('i'), h('i'));
  const typist = h('span.sr');
  const typing = h('div.row.typing', { 'aria-live': 'off', hidden: true }, typist, dots);
  const skeleton = h('div.skeleton', { hidden: true }, h('i'), h('i'), h('i'), h('i'));
  const scroller = h('div.scroller', { role: 'log', 'aria-live': 'polite', 'aria-label': say('conversation'), tabindex: '0', onscroll }, skeleton, rows, typing);
  const jump = h('button.jump', { type: 'button', hidden: true, onclick: () => bottom(true) }, icon(DOWN), say('unseen'));

  function onscroll() {
    if (!scroller.clientHeight) return; // out of the page
    top = scroller.scrollTop;
    pinned = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
    if (pinned) jump.hidden = true;
    if (scroller.scrollTop < TOP && !first) older();
  }
  /** @param {boolean} [smooth] */
  function bottom(smooth) {
    pinned = true;
    jump.hidden = true;
    scroller.scrollTo({ top: scroller.scrollHeight, behavior: smooth && !still() ? 'smooth' : 'instant' });
  }

  // The composer grows, and the on-screen keyboard comes and goes.
  new ResizeObserver(() => pinned && bottom()).observe(scroller);

  /** @param {import('./rows.js').Row[]} list @param {boolean} lively new rows rise into place */
  function reconcile(list, lively) {
    /** @type {Node | null} */
    let at = rows.firstChild;
    const stay = new Set(list.map((row) => row.key));
    for (const row of list) {
      let d = drawn.get(row.key);
      if (!d) {
        d = draw(row, craft);
        drawn.set(row.key, d);
        if (lively) d.node.animate({ opacity: [0, 1], transform: ['translateY(8px)', 'none'] }, { duration: 180, easing: 'ease-out' });
      }
      const now = JSON.stringify(row);
      if (now !== d.row) d.update(row);
      d.row = now;
      if (d.node === at) at = at.nextSibling;
      else rows.insertBefore(d.node, at);
    }
    for (const [key, d] of drawn) {
      if (stay.has(key)) continue;
      d.node.remove();
      drawn.delete(key);
    }
  }

  return {
    node: h('div.log', null, scroller, jump),
    bottom,
    /** Scrolls to where it was before the page put it elsewhere. */
    back() {
      if (pinned) bottom();
      else scroller.scrollTop = top;
    },
    /**
     * @param {import('./rows.js').Row[]} list
     * @param {{kind: string, name: string, avatar_url?: string} | null} who
     * @param {boolean} loading
     */
    render(list, who, loading) {
      skeleton.hidden = !loading;
      rows.hidden = loading;
      attr(scroller, 'aria-busy', loading && 'true');
      if (loading) return;
      const fromEnd = scroller.scrollHeight - scroller.scrollTop;
      const grewAbove = !first && drawn.size && list.length && !drawn.has(list.find((row) => row.side !== 'day')?.key || '');
      const lively = !first && !grewAbove;
      reconcile(list, lively && !still());
      typing.hidden = !who;
      if (who) {
        typist.textContent = say('typing', who.name || say(who.kind));
        typing.className = `row ${who.kind} typing`;
        typing.querySelector('.avatar')?.remove();
        typing.prepend(avatar(who.kind, who.name, who.avatar_url, craft));
      }
      const end = list.at(-1);
      const grewBelow = !!end && end.key !== newest;
      newest = end?.key || '';
      if (grewBelow && end?.id) pinned = true; // one's own line is always shown
      const tall = end && lively && end.side !== 'visitor' && drawn.get(end.key);
      if (pinned && tall && grewBelow && tall.node.offsetHeight > scroller.clientHeight) scroller.scrollTop += tall.node.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 12; // one reads from the top
      else if (pinned) bottom();
      else if (grewAbove) scroller.scrollTop = scroller.scrollHeight - fromEnd;
      else if (grewBelow) jump.hidden = false;
      first = false;
    },
  };
}
