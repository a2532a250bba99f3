import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pod } from '../support/builders.ts';
import { type ReviewKit, startReviewKit } from '../support/review-kit.ts';

/* The files, directories and streams that `review -f` reads, and the encodings that they have. */

let kit: ReviewKit;
let unsigned: string;
let signed: string;
beforeAll(async () => {
  kit = await startReviewKit();
  unsigned = JSON.stringify(pod([`${kit.hub}/proxyv2:${kit.unsigned}`]));
  signed = JSON.stringify(pod([`${kit.hub}/proxyv2:${kit.signed}`]));
});
afterAll(() => kit.close());

const at = (...names: readonly string[]): string => join(kit.directory, ...names);

/** The exit code, and the verdict at each place. */
const verdicts = async (argv: readonly string[], stdin: string | Uint8Array = '') => {
  const { code, stdout, stderr } = await kit.run([...argv, '--output', 'json'], { stdin });
  if (stdout === '') return { code, stderr };
  const { objects } = JSON.parse(stdout) as { objects: { place: string; verdict: string }[] };
  return { code, objects: objects.map(({ place, verdict }) => [place, verdict]) };
};

describe('review -f refuses', () => {
  it('a file in whose name a terminal finds a command, and prints none', async () => {
    for (const name of ['\u001b[31mx', 'a\nb', '\u202egnp']) {
      const { stderr = '' } = await verdicts(['-f', at(name)]);
      expect(stderr).toContain('cannot read');
      expect(stderr.trimEnd()).toMatch(/^[\x20-\x7e]+$/m);
      expect(stderr).not.toContain(name);
    }
  });

  it('a directory without manifests, and says what it looked for', async () => {
    await kit.write({ 'empty/notes.txt': 'a', 'empty/below/pod.yaml': signed });
    expect(await verdicts(['-f', at('empty')])).toEqual({
      code: 1,
      stderr: expect.stringContaining(
        `Error: ${at('empty')} has no manifests: no file .yaml, .yml or .json is in it (-R reads the directories below it too)`,
      ),
    });
  });

  it('a file that is not there, a URL, standard input twice, and files that are all empty', async () => {
    const missing = await verdicts(['-f', at('missing.yaml')]);
    expect(missing).toEqual({
      code: 1,
      stderr: expect.stringContaining(`cannot read ${at('missing.yaml')}`),
    });
    expect(await verdicts(['-f', 'https://example.com/a.yaml'])).toEqual({
      code: 1,
      stderr: expect.stringContaining('-f https://example.com/a.yaml is a URL, which is not fetched: curl '),
    });
    expect(await verdicts(['-f', '-', '-f', '-'], signed)).toEqual({
      code: 1,
      stderr: expect.stringContaining('-f - is given more than once'),
    });
    await kit.write({ 'a.yaml': '', 'b.yaml': '# nothing\n---\n' });
    expect(await verdicts(['-f', at('a.yaml'), '-f', at('b.yaml')])).toEqual({
      code: 1,
      stderr: expect.stringContaining(`${at('a.yaml')}, ${at('b.yaml')} are empty: expected manifests`),
    });
  });

  it('bytes that are no text, and half a character of UTF-16', async () => {
    const latin = Buffer.from(`# caf\u00e9\n${signed}`, 'latin1');
    expect(await verdicts(['-f', '-'], latin)).toEqual({
      code: 1,
      stderr: expect.stringContaining('standard input: not a text in UTF-8; convert it to UTF-8'),
    });
    const half = Buffer.from(`\ufeff${signed}`, 'utf16le').subarray(0, -1);
    expect(await verdicts(['-f', '-'], half)).toEqual({
      code: 1,
      stderr: expect.stringContaining('standard input: not a text in UTF-16'),
    });
  });

  it('a JSON stream with a value that is broken, by its document and line', async () => {
    expect(await verdicts(['-f', '-'], `${signed}\n${signed}\n{"kind": "Pod", "a" "b"}\n`)).toEqual({
      code: 1,
      stderr: expect.stringContaining('standard input: document 3, line 3: invalid YAML'),
    });
    expect(await verdicts(['-f', '-'], `${signed}\n{"kind": "Pod"`)).toMatchObject({ code: 1 });
    const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    expect(await verdicts(['-f', '-'], `${signed}\n${deep}`)).toEqual({
      code: 1,
      stderr: expect.stringContaining('document 2, line 2: invalid YAML: nesting exceeded maxDepth (100)'),
    });
  });
});

describe('review -f finds an unsigned image', () => {
  beforeEach(() =>
    kit.write({
      'tree/2.yaml': signed,
      'tree/1.json': signed,
      'tree/3.yml': unsigned,
      'tree/4.txt': 'not read',
      'tree/below/5.yaml': unsigned,
    }),
  );

  it('in a directory, in the order of its names', async () => {
    expect(await verdicts(['-f', at('tree')])).toEqual({
      code: 10,
      objects: [
        [`${at('tree', '1.json')}: document 1`, 'allow'],
        [`${at('tree', '2.yaml')}: document 1`, 'allow'],
        [`${at('tree', '3.yml')}: document 1`, 'deny'],
      ],
    });
  });

  it('below a directory with -R', async () => {
    for (const flag of ['-R', '--recursive'])
      expect(await verdicts(['-f', at('tree'), flag])).toMatchObject({
        code: 10,
        objects: [
          [`${at('tree', '1.json')}: document 1`, 'allow'],
          [`${at('tree', '2.yaml')}: document 1`, 'allow'],
          [`${at('tree', '3.yml')}: document 1`, 'deny'],
          [`${at('tree', 'below', '5.yaml')}: document 1`, 'deny'],
        ],
      });
  });

  it('in a file behind a symbolic link, as a mounted ConfigMap has them, and follows no link to a directory', async () => {
    await kit.write({ 'mount/..data/pod.yaml': unsigned });
    await symlink('..data/pod.yaml', at('mount', 'pod.yaml'));
    await symlink('..', at('mount', 'up.yaml'));
    const { code, objects } = (await verdicts(['-f', at('mount')])) as { code: number; objects: unknown[] };
    expect([code, objects.length]).toEqual([10, 1]);
  });

  it('in any of several files and standard input, and an empty one hides none', async () => {
    await kit.write({ 'good.yaml': signed, 'none.yaml': '' });
    const argv = ['-f', at('good.yaml'), '-f', at('none.yaml'), '-f', '-'];
    expect(await verdicts(argv, unsigned)).toEqual({
      code: 10,
      objects: [
        [`${at('good.yaml')}: document 1`, 'allow'],
        ['standard input: document 1', 'deny'],
      ],
    });
  });
});

describe('review reads', () => {
  const both = [
    ['standard input: document 1', 'allow'],
    ['standard input: document 2', 'deny'],
  ];

  it.each([
    ['JSON Lines', () => `${signed}\n${unsigned}\n`],
    ['JSON objects on end', () => `${signed}${unsigned}`],
    [
      'JSON objects over several lines',
      () => [signed, unsigned].map((text) => JSON.stringify(JSON.parse(text), null, 4)).join('\n'),
    ],
    ['YAML documents', () => `---\n${signed}\n---\n${unsigned}\n`],
  ])('%s', async (_name, text) => {
    expect(await verdicts(['-f', '-'], text())).toEqual({ code: 10, objects: both });
  });

  const swapped = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
  it.each([
    ['UTF-16, as PowerShell writes it', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['big-endian UTF-16', (text: string) => swapped(`\ufeff${text}`)],
    ['UTF-16 without a byte order mark', (text: string) => Buffer.from(text, 'utf16le')],
    ['big-endian UTF-16 without a byte order mark', swapped],
    ['UTF-8 with a byte order mark', (text: string) => Buffer.from(`\ufeff${text}`)],
  ])('%s', async (_name, encode) => {
    const text = `# Zürich \u{1f600}\n${signed}\n---\n${unsigned}\n`;
    const input = encode(text);
    expect(await verdicts(['-f', '-'], input)).toEqual({ code: 10, objects: both });
  });
});
