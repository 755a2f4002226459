// window.Parley, the page's handle on the widget and our only global.

/** @typedef {'ready' | 'open' | 'close' | 'message' | 'unread'} EventName */

/**
 * @typedef {object} Api
 * @property {(event: EventName, detail?: any) => void} emit tells the page's listeners; what they throw is theirs alone
 * @property {() => void} replay does what the page asked for before it could be done
 * @property {() => void} retire makes room for another widget on this page
 */

/**
 * Installs window.Parley. It accepts any stub that gathers calls as [method, ...arguments] until then: an array with
 * push(), or anything with such an array in `q`. A listener for `ready` that comes late is told at once.
 *
 * @param {Record<string, (...args: any[]) => void>} methods
 * @returns {Api | null} null when the page already has a widget
 */
export function install(methods) {
  const page = /** @type {any} */ (window);
  const early = page.Parley;
  if (early && Object.hasOwn(early, 'version')) {
    console.warn('Parley: this page already has a widget; the second one is not shown.');
    return null;
  }
  /** @type {Map<string, Set<(detail?: any) => void>>} */
  const listeners = new Map();
  let ready = false;
  /** @param {(detail?: any) => void} fn @param {any} detail */
  const tell = (fn, detail) => {
    try {
      fn(detail);
    } catch (err) {
      console.error(err);
    }
  };

  const parley = {
    ...methods,
    version: 1,
    /** @param {EventName} event @param {(detail?: any) => void} fn */
    on(event, fn) {
      if (!listeners.has(event)) listeners.set(event, new Set());
      listeners.get(event)?.add(fn);
      if (event === 'ready' && ready) tell(fn, undefined);
    },
    /** @param {EventName} event @param {(detail?: any) => void} fn */
    off(event, fn) {
      listeners.get(event)?.delete(fn);
    },
    /** @param {Iterable<any>} call */
    push(call) {
      const [method, ...args] = call;
      /** @type {any} */ (parley)[method]?.(...args.flat());
    },
  };
  page.Parley = parley;

  return {
    emit(event, detail) {
      ready ||= event === 'ready';
      for (const fn of [...(listeners.get(event) || [])]) tell(fn, detail);
    },
    replay() {
      const queue = Array.isArray(early) ? early : early?.q;
      if (Array.isArray(queue)) queue.forEach(parley.push);
    },
    retire() {
      listeners.clear();
      delete /** @type {any} */ (parley).version;
    },
  };
}
