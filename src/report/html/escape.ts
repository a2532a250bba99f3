const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control and format characters but the line break, separators and lone surrogates: HTML forbids some, and others reorder a line. */
const UNPRINTABLE = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu;

/** Returns an untrusted text for the content of an element or for a quoted attribute. */
export const escapeHtml = (text: string): string =>
  text.replaceAll(UNPRINTABLE, '\u{fffd}').replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/**
 * Returns JSON for a `<script type="application/json">`. Nothing in it can end the element or begin a comment, which would
 * change where it ends (HTML 4.12.1.3), and every parser of JSON reads the same value.
 */
export const toScriptJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
