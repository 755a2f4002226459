// The log: draws rows, keeps those that stay, and stays at the bottom unless the reader has gone up.

import { attr, h, icon } from './dom.js';
import { avatar, draw } from './bubble.js';
import { DOWN } from './icons.js';

const NEAR = 24; // px from the bottom that still count as being there
const TOP = 120; // px from the top at which older messages are fetched
const SLICE = 16; // rows drawn at a time, fewer of long ones: they fill the panel, and hold nothing up

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
    const down = scroller.scrollTop >= top; // and not near the end: it has moved on meanwhile
    top = scroller.scrollTop;
    pinned = scroller.scrollHeight - top - scroller.clientHeight < NEAR || (pinned && down);
    jump.hidden ||= pinned;
    if (top < TOP && !first) older();
  }
  /** @param {boolean} [smooth] */
  function bottom(smooth) {
    pinned = true;
    jump.hidden = true;
    scroller.scrollTo({ top: scroller.scrollHeight, behavior: smooth && !still() ? 'smooth' : 'instant' });
    top = scroller.scrollTop;
  }

  // Rows come, the composer grows, the on-screen keyboard comes and goes. Asked any earlier for its end, the browser would have to lay out everything at once.
  const stay = new ResizeObserver(() => pinned && bottom());
  for (const box of [scroller, rows, typing]) stay.observe(box);

  /**
   * Draws from the newest row up, so many new ones that the browser is not held up.
   * @param {import('./rows.js').Row[]} list
   * @param {boolean} lively new rows rise into place
   * @returns {boolean} whether some are yet to be drawn
   */
  function reconcile(list, lively) {
    const keys = new Set(list.map((row) => row.key));
    for (const [key, d] of drawn) {
      if (keys.has(key)) continue;
      d.node.remove();
      drawn.delete(key);
    }
    /** @type {Node | null} */
    let below = null;
    let left = SLICE;
    for (const row of [...list].reverse()) {
      let d = drawn.get(row.key);
      if (!d) {
        if (left <= 0) return true;
        left -= 1 + row.content.length / 100;
        d = draw(row, craft);
        drawn.set(row.key, d);
        if (lively) d.node.animate({ opacity: [0, 1], transform: ['translateY(8px)', 'none'] }, { duration: 180, easing: 'ease-out' });
      }
      const now = JSON.stringify(row);
      if (now !== d.row) d.update(row);
      d.row = now;
      if (!d.node.parentNode || d.node.nextSibling !== below) rows.insertBefore(d.node, below);
      below = d.node;
    }
    return false;
  }

  /** @param {import('./rows.js').Row[]} list @param {{kind: string, name: string, avatar_url?: string} | null} who */
  function show(list, who) {
    const grewAbove = drawn.size && !drawn.has(list.find((row) => row.side !== 'day')?.key || '');
    const lively = !first && !grewAbove;
    const low = () => rows.getBoundingClientRect().bottom;
    const was = pinned ? 0 : low(); // to the fraction of a pixel
    const partly = reconcile(list, lively && !still());
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
    const tall = pinned && grewBelow && lively && end.side !== 'visitor' && drawn.get(end.key)?.node;
    if (tall && tall.offsetHeight > scroller.clientHeight) {
      pinned = false;
      scroller.scrollTop = tall.offsetTop - 12; // one reads from the top
    } else if (!pinned && grewAbove) scroller.scrollTop += low() - was;
    else if (!pinned && grewBelow) jump.hidden = false;
    return partly;
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
     * @returns {boolean} whether there is more to draw, after what is new has been painted
     */
    render(list, who, loading) {
      skeleton.hidden = !loading;
      rows.hidden = loading;
      const partly = !loading && show(list, who);
      first = loading || (first && partly);
      attr(scroller, 'aria-busy', (loading || partly) && 'true');
      return partly;
    },
  };
}
