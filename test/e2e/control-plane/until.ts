import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks again and again until there is an answer, and gives it. An error counts as no answer yet; the last one is told
 * where time runs out, after `seconds`.
 */
export const until = async <Found>(
  what: string,
  ask: () => Promise<Found | undefined | false>,
  { seconds = 30, every = 50 }: { readonly seconds?: number; readonly every?: number } = {},
): Promise<Found> => {
  const end = Date.now() + seconds * 1000;
  let trouble: unknown;
  while (Date.now() < end) {
    try {
      const found = await ask();
      if (found !== undefined && found !== false) return found;
      trouble = undefined;
    } catch (error) {
      trouble = error;
    }
    await delay(every);
  }
  throw new Error(`waited ${seconds} s in vain: ${what}`, { cause: trouble });
};
