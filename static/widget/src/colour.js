// Owners choose any colour; text on it, and it on our surfaces, must stay legible (WCAG AA, 4.5 to 1).

const AA = 4.5;

/** @param {string} hex @returns {number} relative luminance, 0 to 1 */
function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** @param {string} a @param {string} b @returns {number} contrast, 1 to 21 */
function contrast(a, b) {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/**
 * The value if it is a colour we understand, else the other.
 * @param {string | undefined} hex
 * @param {string} otherwise
 */
export const colour = (hex, otherwise) => (/^#[0-9a-f]{6}$/i.test(hex || '') ? /** @type {string} */ (hex) : otherwise);

/**
 * Ink for text on a fill: the wanted one if it can be read, else white or black, one of which always can.
 * @param {string} fill
 * @param {string} wanted
 */
export function ink(fill, wanted) {
  if (contrast(fill, wanted) >= AA) return wanted;
  return contrast(fill, '#ffffff') >= AA ? '#ffffff' : '#000000';
}

/**
 * The colour if it can be read on the surface, as links and focus rings must be, else the surface's ordinary ink.
 * @param {string} hex
 * @param {string} surface
 */
export const legible = (hex, surface) => (contrast(hex, surface) >= AA ? hex : 'var(--text)');
