/*
 * The syntax of the patterns is the part of RE2 that means the same in JavaScript.
 */

/** Quotes like Go's `regexp.QuoteMeta`, which a chart calls as `regexQuoteMeta`. */
export const quoteMeta = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');

/** Allows the separators of look-alikes between the words of a name: `install_cni`. */
export const namePattern = (name: string): string => name.split('-').map(quoteMeta).join('[._-]+');

/** One of several patterns. */
export const oneOf = (patterns: Iterable<string>): string => `(?:${[...patterns].join('|')})`;

/** The host of the images that may be written without one. */
export const DOCKER_HUB = 'docker.io/';
