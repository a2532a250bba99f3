const MS_PER_UNIT: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Parses a Go duration (`time.ParseDuration`), `1h30m` or `0`, into milliseconds; undefined if the text is not one. */
export const parseGoDuration = (text: string): number | undefined => {
  if (text === '0') return 0;
  const sign = text.startsWith('-') ? -1 : 1;
  const parts = text.replace(/^[+-]/, '');
  // A digit can match in one place only, so the text of a credential provider cannot make the expression backtrack.
  if (!/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(parts)) return undefined;
  const terms = parts.matchAll(/([\d.]+)([a-zµμ]+)/g);
  return (
    sign *
    [...terms].reduce((sum, [, count, unit]) => sum + Number(count) * (MS_PER_UNIT[unit ?? ''] ?? 0), 0)
  );
};
