import type { Flag, Flags } from '../command-line/command.ts';

/** The arguments of one flag, as the command line had them. */
const argumentsOf = ({ name, value }: Flag, flags: Flags): readonly string[] => {
  if (value === undefined) return flags.has(name) ? [`--${name}`] : [];
  // A value that begins with a dash would be taken for a flag.
  return flags
    .list(name)
    .flatMap((text) => (text.startsWith('-') ? [`--${name}=${text}`] : [`--${name}`, text]));
};

/** Returns the arguments with which `verify` reads an image as the scan did. */
export const verifyFlagsOf = (shared: readonly Flag[], flags: Flags): readonly string[] =>
  shared.flatMap((flag) => argumentsOf(flag, flags));
