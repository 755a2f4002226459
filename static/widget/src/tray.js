// Files on their way: each is uploaded as soon as it is chosen, and taken along by the next message.

import { attr, h, icon } from './dom.js';
import { size } from './files.js';
import { AGAIN, CLOSE, FILE } from './icons.js';
import { paint } from './picture.js';

const MOST = 5; // files in a message

/**
 * @typedef {object} Item
 * @property {File} file
 * @property {'uploading' | 'ready' | 'failed'} state
 * @property {HTMLElement} node
 * @property {() => void} [retry] where the line was at fault
 * @property {XMLHttpRequest} [request]
 * @property {import('./conversation.js').Attachment} [stored]
 */

/**
 * @param {object} opt
 * @param {import('./texts.js').Say} opt.say
 * @param {string} opt.locale
 * @param {string} opt.url of the widget's surface
 * @param {() => string} opt.token
 * @param {NonNullable<import('./loader.js').Looks['attachments']>} opt.allowed
 * @param {() => void} opt.changed
 * @param {() => void} opt.focus takes the focus, which goes with a file that is removed
 */
export function createTray({ say, locale, url, token, allowed, changed, focus }) {
  /** @type {Item[]} */
  let items = [];
  const list = h('ul', { 'aria-label': say('files') });
  const word = h('p.problem', { role: 'alert' });
  const node = h('div.tray', { hidden: true }, list, word);

  function drawn() {
    node.hidden = !items.length && !word.textContent;
    changed();
  }

  /** Why a file is not accepted; empty if it is. @param {File} file */
  function objection(file) {
    if (!file.size) return say('blank');
    if (file.size > allowed.max_bytes) return say('large', size(allowed.max_bytes, locale));
    const fits = allowed.accept.some((a) => (a[0] === '.' ? file.name.toLowerCase().endsWith(a.toLowerCase()) : a.endsWith('/*') ? file.type.startsWith(a.slice(0, -1)) : file.type === a));
    return fits ? '' : say('kind');
  }

  /** @param {File} file */
  function add(file) {
    const face = /^image\//.test(file.type) ? h('canvas') : icon(FILE);
    if (face instanceof HTMLCanvasElement) paint(face, file, 96).catch(() => face.replaceWith(icon(FILE)));
    const state = h('small', { role: 'status' });
    const bar = h('progress', { max: '100', value: '0', 'aria-label': file.name });
    const again = h('button', { type: 'button', 'aria-label': say('again', file.name), hidden: true, onclick: () => upload() }, icon(AGAIN));
    const remove = h('button', { type: 'button', 'aria-label': say('remove', file.name), onclick: () => drop() }, icon(CLOSE));
    /** @type {Item} */
    const item = { file, state: 'failed', node: h('li', null, h('span.face', null, face), h('span.what', null, h('b', null, h('bdi', null, file.name)), state, bar), again, remove) };
    items.push(item);
    list.append(item.node);

    /** @param {Item['state']} to @param {string} words */
    function be(to, words) {
      item.state = to;
      item.node.className = to;
      state.textContent = words;
      bar.hidden = to !== 'uploading';
      drawn();
    }
    /** @param {string} words @param {boolean} [hopeless] */
    function fail(words, hopeless) {
      again.hidden = !!hopeless;
      item.retry = hopeless ? undefined : upload;
      be('failed', words);
    }
    function upload() {
      const body = new FormData();
      body.append('file', file, file.name);
      const xhr = (item.request = new XMLHttpRequest());
      xhr.open('POST', url + '/attachments');
      xhr.setRequestHeader('authorization', 'Bearer ' + token());
      xhr.responseType = 'json';
      xhr.upload.onprogress = (e) => {
        const percent = e.total ? Math.floor((e.loaded / e.total) * 100) : 0;
        bar.value = percent;
        attr(bar, 'aria-valuetext', say('uploading', percent));
      };
      xhr.onerror = () => fail(say('unsent'));
      xhr.onload = () => {
        const answer = xhr.response || {};
        if (xhr.status !== 201) return fail(answer.detail || say('unsent'), xhr.status === 422);
        item.stored = answer;
        be('ready', size(file.size, locale));
      };
      again.hidden = true;
      item.retry = undefined;
      be('uploading', size(file.size, locale));
      xhr.send(body);
    }
    function drop() {
      item.request?.abort();
      items = items.filter((other) => other !== item);
      item.node.remove();
      drawn();
      focus();
    }
    const no = objection(file);
    if (no) fail(no, true);
    else upload();
  }

  addEventListener('online', () => items.forEach((item) => item.retry?.()));

  return {
    node,
    /** @param {Iterable<File>} files */
    add(files) {
      word.textContent = '';
      for (const file of files) {
        if (items.length < MOST) add(file);
        else word.textContent = say('many', MOST);
      }
      drawn();
    },
    ready: () => items.some((item) => item.stored),
    busy: () => items.some((item) => item.state === 'uploading'),
    /** Hands over what has arrived; the rest stays. */
    take() {
      const taken = items.filter((item) => item.stored);
      for (const item of taken) item.node.remove();
      items = items.filter((item) => !item.stored);
      word.textContent = '';
      drawn();
      return taken.map((item) => /** @type {import('./conversation.js').Attachment} */ (item.stored));
    },
  };
}
