// What the widget remembers on this browser: only keys of its own, nothing before keep() is called, and memory alone
// where the browser blocks storage.

/**
 * @typedef {object} Store
 * @property {(name: string) => any} get the value, or undefined
 * @property {(name: string, value: any) => void} set
 * @property {(name: string) => void} remove
 * @property {(prefix: string) => string[]} names that begin with prefix
 * @property {() => boolean} kept whether anything is remembered across page loads
 * @property {() => void} keep from now on, remember across page loads
 * @property {() => void} clear forgets everything, and no longer keeps
 */

/**
 * @param {string} widget key
 * @returns {Store}
 */
export function openStore(widget) {
  const prefix = `parley:${widget}:`;
  /** @type {Map<string, any>} */
  const memory = new Map();
  /** @type {Storage | undefined} */
  let disk;
  let kept = false;
  try {
    disk = window.localStorage; // throws where storage is blocked
    for (let i = 0; i < disk.length; i++) {
      const k = disk.key(i) || '';
      if (k.startsWith(prefix)) memory.set(k.slice(prefix.length), JSON.parse(disk.getItem(k) || 'null'));
    }
    kept = memory.size > 0;
  } catch {
    // memory alone
  }
  /** @param {(d: Storage) => void} act */
  const onDisk = (act) => {
    try {
      if (kept && disk) act(disk);
    } catch {
      // full or taken away meanwhile: memory goes on
    }
  };
  const write = (/** @type {string} */ name) => onDisk((d) => d.setItem(prefix + name, JSON.stringify(memory.get(name))));

  return {
    get: (name) => memory.get(name),
    set: (name, value) => {
      memory.set(name, value);
      write(name);
    },
    remove: (name) => {
      memory.delete(name);
      onDisk((d) => d.removeItem(prefix + name));
    },
    names: (start) => [...memory.keys()].filter((name) => name.startsWith(start)),
    kept: () => kept,
    keep: () => {
      if (kept) return;
      kept = true;
      for (const name of memory.keys()) write(name);
    },
    clear: () => {
      for (const name of memory.keys()) onDisk((d) => d.removeItem(prefix + name));
      memory.clear();
      kept = false;
    },
  };
}
