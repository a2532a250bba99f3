import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { type Report, rules, scanToSarif, toSarif } from '../../src/report/index.ts';
import { finding, HOSTILE, hostileReport, report, reportedCase } from '../support/example-report.ts';
import { exampleScan, unreadScan } from '../support/example-scan.ts';

/*
 * The schema that OASIS publishes, as `@microsoft/jest-sarif` carries it, and what GitHub documents of code scanning: a
 * location of each result, the lengths and numbers that it accepts.
 */

const require = createRequire(import.meta.url);
/** The schema is of draft 4, of which only `id` differs from what ajv reads. */
const {
  id: _id,
  $schema: _draft,
  ...schema
} = require('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json') as Record<string, unknown>;
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
const isUri = (text: string): boolean => URL.canParse(text);
ajv.addFormat('uri', isUri);
ajv.addFormat(
  'uri-reference',
  (text) => URL.canParse(text, 'https://base.example/') && !/[\s<>"{}|\\^`]/.test(text),
);
ajv.addFormat('date-time', (text) => !Number.isNaN(Date.parse(text)));
const validate = ajv.compile(schema);

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: string };
      readonly region: { readonly startLine: number };
    };
    readonly logicalLocations?: readonly { readonly name: string }[];
  }[];
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly suppressions?: readonly unknown[];
}
interface Rule {
  readonly id: string;
  readonly shortDescription: { readonly text: string };
  readonly help: { readonly text: string };
  readonly properties: { readonly tags: readonly string[]; readonly 'security-severity': string };
}
interface Run {
  readonly tool: { readonly driver: { readonly rules: readonly Rule[] } };
  readonly invocations: readonly [
    {
      readonly executionSuccessful: boolean;
      readonly toolExecutionNotifications?: readonly { readonly message: { readonly text: string } }[];
    },
  ];
  readonly results: readonly Result[];
}

/** Parses a log that is valid, and within GitHub's limits. */
const parsed = (text: string): Run => {
  const log = JSON.parse(text) as { readonly runs: readonly [Run] };
  validate(log);
  expect(validate.errors ?? []).toEqual([]);
  const [run] = log.runs;
  expect(run.results.length).toBeLessThanOrEqual(5000);
  for (const { ruleId, ruleIndex, message, locations } of run.results) {
    expect(run.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
    expect(message.text.length).toBeLessThanOrEqual(2000);
    expect(locations).toHaveLength(1);
    expect(locations[0]?.physicalLocation.artifactLocation.uri).toMatch(/./);
    expect(locations[0]?.physicalLocation.region.startLine).toBeGreaterThan(0);
  }
  return run;
};

const fingerprintsIn = (each: Report): readonly unknown[] =>
  parsed(toSarif(each)).results.map(({ partialFingerprints }) => partialFingerprints);

it('the schema refuses what is no SARIF', () => {
  const driver = { name: 'sailmark' };
  const runs = (result: object) => ({ version: '2.1.0', runs: [{ tool: { driver }, results: [result] }] });
  expect(validate(runs({ message: { text: 'x' } }))).toBe(true);
  expect(validate(runs({ message: { text: 'x' }, level: 'fatal' }))).toBe(false);
  expect(validate(runs({ message: { text: 'x' }, code: 'x' }))).toBe(false);
  expect(validate(runs({}))).toBe(false);
});

describe('a text that is hostile', () => {
  it.each(HOSTILE)(
    'is text in SARIF, and neither a placeholder, a link nor a place elsewhere: %s',
    (_name, text) => {
      const { results } = parsed(toSarif(hostileReport(text)));
      expect(results).toHaveLength(3);
      for (const { message, locations } of results) {
        expect(message.text.replaceAll(/\{\{|\}\}/g, '')).not.toMatch(/[{}]/);
        expect(message.text).not.toMatch(/\]\(|[\p{C}\p{Zl}\p{Zp}]/u);
        const { uri = '' } = locations[0]?.physicalLocation.artifactLocation ?? {};
        const { protocol, origin, host } = new URL(uri, 'https://base.example/');
        expect([protocol === 'file:' ? 'a file' : origin, host]).toEqual(
          uri.startsWith('file:///') ? ['a file', ''] : ['https://base.example', 'base.example'],
        );
      }
    },
  );

  it('cannot make a log longer than the limits, however many findings there are', () => {
    const many = Array.from({ length: 6000 }, (_, index) => finding({ object: `Pod a/${index}` }));
    const { results, invocations } = parsed(
      toSarif(report(reportedCase([finding({ level: 'note', fails: false }), ...many]))),
    );
    expect(results).toHaveLength(5000);
    expect(new Set(results.map(({ level }) => level))).toEqual(new Set(['error']));
    expect(invocations[0].toolExecutionNotifications?.[0]?.message.text).toBe(
      '1001 of 6001 findings are left out',
    );
  });
});

describe('the rules', () => {
  const { tool } = parsed(toSarif(report()));

  it('are every reason, and what only a report has, each with what to do', () => {
    expect(tool.driver.rules.map(({ id }) => id)).toEqual(rules.map(({ code }) => code));
    for (const { id, help } of tool.driver.rules)
      expect(help.text).toMatch(new RegExp(`^\\S.*\\. What to do: \\S.*\`sailmark explain ${id}\``));
  });

  it('keep to the lengths and tags that GitHub accepts', () => {
    for (const { id, shortDescription, help, properties } of tool.driver.rules) {
      expect(id.length).toBeLessThanOrEqual(255);
      expect(shortDescription.text.length).toBeLessThanOrEqual(1024);
      expect(help.text).not.toContain('](');
      expect(properties.tags.length).toBeLessThanOrEqual(10);
      expect(Number(properties['security-severity'])).toBeGreaterThan(0);
    }
  });
});

describe('a finding in a file', () => {
  it('is a result at its line, below the root of the sources', () => {
    const { results } = parsed(toSarif(report(reportedCase([finding()]))));
    expect(results[0]).toMatchObject({
      ruleId: 'signature-missing',
      level: 'error',
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'manifests/cart.yaml', uriBaseId: '%SRCROOT%' },
            region: { startLine: 7 },
          },
          logicalLocations: [{ name: 'Deployment shop/cart' }],
        },
      ],
    });
  });

  it('has a file URL if the file is not below the working directory', () => {
    const place = { file: '/tmp/a b.yaml', line: 1 };
    const { results } = parsed(toSarif(report(reportedCase([finding({ place })]))));
    expect(results[0]?.locations[0]?.physicalLocation.artifactLocation).toEqual({
      uri: 'file:///tmp/a%20b.yaml',
    });
  });

  it('keeps its fingerprint if its line moves, and leaves to GitHub the one that GitHub computes', () => {
    const place = { file: 'manifests/cart.yaml', line: 70 };
    const [before, after] = [finding(), finding({ place, message: 'other words' })];
    expect(fingerprintsIn(report(reportedCase([before])))).toEqual(
      fingerprintsIn(report(reportedCase([after]))),
    );
    expect(fingerprintsIn(report(reportedCase([before])))).toEqual([{ 'sailmark/v1': expect.any(String) }]);
  });

  it('has another fingerprint than any other finding, also than an equal one', () => {
    const all = [
      finding(),
      finding(),
      finding({ code: 'image-not-found' }),
      finding({ object: 'Deployment shop/other' }),
      finding({ path: 'spec.template.spec.containers[1].image' }),
      finding({ place: { file: 'other.yaml', line: 7 } }),
    ];
    const fingerprints = fingerprintsIn(report(reportedCase(all))).map((each) => JSON.stringify(each));
    expect(new Set(fingerprints).size).toBe(all.length);
  });

  it('is suppressed if an exemption lifts it', () => {
    const exempt = finding({ level: 'note', fails: false });
    const { results } = parsed(toSarif(report(reportedCase([exempt]))));
    expect(results[0]?.suppressions).toEqual([{ kind: 'external', status: 'accepted' }]);
  });
});

describe('a scan', () => {
  const run = parsed(scanToSarif(exampleScan()));

  it('is valid, with a result of each use, configured image, drift and notice, errors first', () => {
    expect(run.results.map(({ ruleId, level }) => `${level} ${ruleId}`)).toEqual([
      'error image-look-alike',
      'error image-never-signed',
      'error registry-unavailable',
      'error image-never-signed',
      'warning digest-drifted',
      'warning digest-unknown',
      'warning version-unsupported',
      'warning version-unsupported',
      'note image-never-signed',
    ]);
  });

  it('has a result of a workload that is refused for no image of the list', () => {
    const [first] = parsed(scanToSarif(unreadScan())).results;
    expect(`${first?.level} ${first?.ruleId}`).toBe('error too-many-images');
    expect(first?.locations[0]?.physicalLocation.artifactLocation.uri).toBe('cluster/Job/shop/bulk');
  });

  it('names a place that GitHub accepts, and fingerprints that it cannot compute without a file', () => {
    expect(run.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe(
      'cluster/Deployment/shop/cart',
    );
    expect(Object.keys(run.results[0]?.partialFingerprints ?? {})).toEqual([
      'sailmark/v1',
      'primaryLocationLineHash',
    ]);
  });

  it('says what was not seen, and if it was interrupted', () => {
    const { invocations } = parsed(scanToSarif(exampleScan({ complete: false })));
    expect(invocations[0].executionSuccessful).toBe(false);
    expect(invocations[0].toolExecutionNotifications?.map(({ message }) => message.text)).toEqual([
      'the command was interrupted: there may be more',
      'rollouts.argoproj.io: the account may not list them; grant the verb list on rollouts.argoproj.io',
    ]);
  });
});
