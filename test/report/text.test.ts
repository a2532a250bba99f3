import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Paint, toText } from '../../src/report/index.ts';
import type { ScannedImage, ScanResult } from '../../src/scan/index.ts';
import { exampleScan, unreadScan } from '../support/example-scan.ts';

const plain: Paint = (text) => text;
const report = (result: ScanResult, columns = 80): string => toText(result, { columns, paint: plain });

/** The lines of the summary, which ends where the details begin. */
const summaryOf = (result: ScanResult, columns = 80): readonly string[] => {
  const lines = report(result, columns).split('\n');
  const end = lines.findIndex((line) => /^[A-Z]{3}/.test(line));
  return lines.slice(0, end - 1);
};

/** An escape sequence, a C1 one, a right-to-left override, line breaks of three kinds, and markup. */
const HOSTILE = 'x\u001B[2J\u009B1m\u202Ey\r\n\u2028\u0085<b>&';

/** A copy in which every text that comes from the cluster is hostile. */
const poison = <T>(value: T, name = ''): T => {
  if (typeof value === 'string')
    return (/^(schema|status|effect|mode|kind|severity|language|pin)$/.test(name)
      ? value
      : `${HOSTILE}${value}`) as unknown as T;
  if (Array.isArray(value)) return value.map((item) => poison(item as unknown, name)) as unknown as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, poison(member as unknown, key)]),
  ) as T;
};

const many = (length: number, more: (index: number) => Partial<ScannedImage>): readonly ScannedImage[] => {
  const [image] = exampleScan().images;
  if (image === undefined) throw new Error('the example has no image');
  return Array.from({ length }, (_, index) => ({ ...image, ...more(index) }));
};

describe('text of the cluster', () => {
  it.each(['::add-mask::', '##[error]', '##vso[task.complete]'])(
    'gives a CI runner no command: %s',
    (command) => {
      const images = many(1, () => ({ reference: `${command}istio/proxyv2:1` }));
      const text = report(exampleScan({ images }));
      expect(text).toContain('istio/proxyv2:1');
      expect(text).not.toMatch(/^\s*::|##\[|##vso\[/m);
    },
  );

  it('is printable, whatever it holds, and breaks no line', () => {
    const text = report(poison(exampleScan()));
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    // One line stays one, so that no name can pretend to be a line of the report.
    expect(text.split('\n').filter((line) => /^\S*\s*<b>&/.test(line))).toEqual([]);
    expect(summaryOf(poison(exampleScan())).length).toBeLessThanOrEqual(24);
  });

  it('of a megabyte takes a bounded part of the report', () => {
    const message = `${'a'.repeat(2 ** 20)} end`;
    const images = many(1, () => ({ message, reference: message, command: message }));
    expect(report(exampleScan({ images })).length).toBeLessThan(20_000);
  });

  it('in wide characters is cut by the columns that it takes', () => {
    const title = '署名'.repeat(100);
    const [remedy] = exampleScan().remedies;
    if (remedy === undefined) throw new Error('the example has no remedy');
    const lines = summaryOf(exampleScan({ remedies: [{ ...remedy, title }] }));
    const [line = ''] = lines.filter((one) => one.includes('署'));
    expect(line.match(/[署名]/g)?.length).toBeLessThanOrEqual(33);
  });
});

describe('the summary', () => {
  const [remedy] = exampleScan().remedies;
  const remedies = Array.from({ length: 40 }, () => remedy).filter((one) => one !== undefined);
  const notices = Array.from({ length: 40 }, () => exampleScan().notices[0]).filter(
    (one) => one !== undefined,
  );

  it.each([40, 80, 200])('has at most 24 lines of %d columns, with much of everything', (columns) => {
    const full = exampleScan({ complete: false, remedies, notices });
    for (const result of [exampleScan(), full]) {
      const lines = summaryOf(result, columns);
      expect(lines.length).toBeLessThanOrEqual(24);
      // The table of counts is not cut: it takes 67 columns.
      expect(lines.filter((line) => line.length > Math.max(columns, 67))).toEqual([]);
    }
  });

  it('lists as many remedies as fit, and counts the others', () => {
    expect(summaryOf(exampleScan({ remedies })).join('\n')).toMatch(/\n {13}… and 3\d more below\n/);
  });

  it('begins with the answer, which is also the last line', () => {
    const answer = 'If you enforced now, 9 of 60 pods would be refused, and for 3 it is unknown.';
    const text = report(exampleScan());
    expect(text.startsWith(`${answer}\n\n`)).toBe(true);
    expect(text.endsWith(`\n\n${answer}\n`)).toBe(true);
  });

  it('says what it could not see, and which key is missing', () => {
    const lines = summaryOf(exampleScan());
    expect(lines).toContain('  Not seen   rollouts.argoproj.io: the account may not list them');
    expect(lines).toContain(
      '  Keys       1 of 2 not loaded: https://istio.io/misc/ist…-v2.pub: no connection',
    );
  });
});

describe('what to do', () => {
  it('shows where it was cut, within the columns', () => {
    const [remedy] = exampleScan().remedies;
    if (remedy === undefined) throw new Error('the example has no remedy');
    const lines = summaryOf(exampleScan({ remedies: [{ ...remedy, title: 'word '.repeat(40) }] }), 60);
    const cut = lines.filter((line) => line.endsWith('word …'));
    expect(cut).toHaveLength(1);
    expect(cut[0]?.length).toBeLessThanOrEqual(60);
  });
});

describe('the details', () => {
  it('of 10,000 images are cut, and say so', () => {
    const images = many(10_000, (index) => ({ reference: `registry.example/istio/proxyv2:${index}` }));
    const text = report(exampleScan({ images }));
    expect(text).toContain('  … and 9950 more: use --output json\n');
    expect(text.split('\n').length).toBeLessThan(700);
  });

  it('of 10,000 verified images are cut, and say so', () => {
    const text = report(exampleScan({ images: many(10_000, () => ({ status: 'verified' })) }));
    expect(text).toContain('  … and 9800 more: use --output json\n');
  });

  it('count the uses that are not listed', () => {
    const [image] = exampleScan().images;
    const uses = Array.from({ length: 20 }, () => image?.uses[0]).filter((use) => use !== undefined);
    expect(report(exampleScan({ images: many(1, () => ({ uses, omittedUses: 30 })) }))).toContain(
      '\n            … and 42 more: use --output json\n',
    );
  });

  it('have a workload that is refused for no image of the list', () => {
    const text = report(unreadScan());
    expect(text).toContain(
      '\nWOULD BE REFUSED: 0 images, 9 pods\n\n  shop Job/bulk: 2 pods\n  why       the review',
    );
    expect(text.replaceAll(/\s+/g, ' ')).toContain('so it was not read (too-many-images)');
    expect(report(exampleScan())).not.toContain('\n  shop Deployment/cart: ');
  });

  it('of what would be refused come first: the denial, where it runs, and what reproduces it', () => {
    const text = report(exampleScan(), 200);
    const details = text.slice(text.indexOf('WOULD BE REFUSED: 2 images, 9 pods'));
    expect(details.split('\n').slice(2, 8)).toEqual([
      '  registry.corp.example/istio/proxyv2:1.28.1',
      '  why       image "registry.corp.example/istio/proxyv2:1.28.1" in init container "istio-proxy"',
      "            (spec.initContainers[1].image): it has the name of Istio's proxyv2 and is on no known hub or mirror",
      '            (image-look-alike); declare the mirror in the configuration',
      '  runs in   shop Deployment/cart, container istio-proxy: 7 pods',
      '  check     sailmark verify registry.corp.example/istio/proxyv2:1.28.1',
    ]);
  });

  it('have every remedy with its snippet as it is', () => {
    expect(report(exampleScan())).toContain(
      '       config:\n         mirrors:\n           - {mirror: registry.corp.example/istio, of: docker.io/istio}\n',
    );
  });

  it('name the use that an image is refused for elsewhere', () => {
    const [image] = exampleScan().images;
    const [use] = image?.uses ?? [];
    if (use === undefined) throw new Error('the example has no use');
    const uses = [use, { ...use, effect: 'audit' as const }, { ...use, effect: null, pods: 0 }];
    const text = report(exampleScan({ images: many(1, () => ({ uses })) }));
    expect(text).toContain('container istio-proxy: 7 pods, recorded\n');
    expect(text).toContain('container istio-proxy: no pod, the template alone, allowed\n');
  });

  it('of an empty cluster have no section that is empty', () => {
    const { summary } = exampleScan();
    const none = { refused: 0, unknown: 0, reported: 0, exempt: 0, verified: 0 };
    const text = report(
      exampleScan({
        summary: {
          ...summary,
          images: none,
          pods: { ...none, all: 0, other: 0 },
          ownersRefused: 0,
          namespaces: 0,
          reasons: {},
          drifted: 0,
          driftUnknown: 0,
          preflightRefused: 0,
        },
        images: [],
        owners: [],
        remedies: [],
        preflight: [],
        drift: [],
        versions: [],
        notices: [],
        keys: [],
        coverage: { resources: [], notSeen: [], cut: [] },
      }),
    );
    expect(text.startsWith('No pod was seen.\n')).toBe(true);
    expect(text.match(/^[A-Z]{3}.*/gm)).toEqual(['HOW IT WAS JUDGED', 'READ']);
  });
});

it('docs/scan.md shows the summary of the example, as it is', () => {
  const page = readFileSync(new URL('../../docs/scan.md', import.meta.url), 'utf8');
  expect(page).toContain(`\`\`\`text\n${summaryOf(exampleScan()).join('\n')}\n\`\`\`\n`);
});
