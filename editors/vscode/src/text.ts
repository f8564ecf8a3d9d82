/** What chronicles say, made fit to be shown: their text is anybody's. */

/** Control, invisible and direction-changing characters as `\u{202e}`, and no `$(icon)` that was not ours. */
export function plain(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
    .replace(/\$\((?=[a-z0-9-])/giu, '$\u2060(');
}

/** `text` in at most `length` characters. */
export function shortened(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}

type Unit = Intl.RelativeTimeFormatUnit;
/** Git's units and bounds, which the server has too: a unit, how many it counts at most, how many are one of the next. */
const STEPS: readonly (readonly [Unit, number, number])[] = [
  ['second', 90, 60],
  ['minute', 90, 60],
  ['hour', 36, 24],
  ['day', 14, 1],
];
/** Of days: a unit, up to how many of them, its length, and what is added to round it. */
const LONG: readonly (readonly [Unit, number, number, number])[] = [
  ['week', 70, 7, 3],
  ['month', 365, 30, 15],
  ['year', Number.POSITIVE_INFINITY, 365, 0],
];
const RELATIVE = new Intl.RelativeTimeFormat('en', { style: 'narrow' });

/** "3d ago"; the text itself if it is no time. */
export function ago(timestamp: string, nowMs: number): string {
  const seconds = (Date.parse(timestamp) - nowMs) / 1000;
  if (Number.isNaN(seconds)) return plain(timestamp);
  let count = Math.trunc(Math.abs(seconds));
  if (count < 90) return 'just now';
  const told = (many: number, unit: Unit) => RELATIVE.format(Math.sign(seconds) * Math.floor(many), unit);
  for (const [unit, most, next] of STEPS) {
    if (count < most) return told(count, unit);
    count = Math.floor((count + Math.floor(next / 2)) / next);
  }
  const [unit, , length, more] = LONG.find(([, most]) => count < most) ?? ['day', 0, 1, 0];
  return told((count + more) / length, unit);
}

/** "1 plan", "2 plans". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
