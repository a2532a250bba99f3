import { readdirSync, readFileSync } from 'node:fs';

/*
 * Prints the licence of every package that may be in the bundle, that is of every package that
 * `npm ci --omit=dev --omit=optional` installs: the licences require that their text accompanies the code. Fails if a
 * package has none.
 */

interface Entry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly license?: string;
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  readonly packages: Readonly<Record<string, Entry>>;
};

const textOf = (path: string): string => {
  const files = readdirSync(path).filter((name) => /^(?:licen[cs]e|copying|notice)\b/i.test(name));
  return files
    .toSorted((a, b) => a.localeCompare(b))
    .map((name) => readFileSync(`${path}/${name}`, 'utf8').trim())
    .join('\n\n');
};

const sections = Object.entries(packages)
  .filter(([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional)
  .map(([path, { version, license }]) => {
    const text = textOf(path);
    if (text === '' && license === undefined) throw new Error(`${path} has no licence`);
    return `${path.replace(/^.*node_modules\//, '')} ${version} (${license ?? 'see below'})\n\n${text}`;
  });

process.stdout.write(`${sections.join(`\n\n${'-'.repeat(78)}\n\n`)}\n`);
