import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { scanToJunit, toJunit } from '../../src/report/index.ts';
import { finding, HOSTILE, hostileReport, report, reportedCase } from '../support/example-report.ts';
import { exampleScan } from '../support/example-scan.ts';

/*
 * A grammar of the elements and attributes that Jenkins' junit-10.xsd, GitLab and Azure DevOps share: what none of the
 * three would refuse or drop. The parser is one that refuses whatever is no well-formed XML 1.0.
 */

interface Parser {
  on(event: 'opentag', handle: (tag: { name: string; attributes: Record<string, string> }) => void): void;
  on(event: 'error', handle: (error: Error) => void): void;
  on(event: 'text', handle: (text: string) => void): void;
  on(event: string, handle: () => void): void;
  write(xml: string): { close(): void };
}

/** Its own types do not compile under this project's settings. */
const require = createRequire(import.meta.url);
const { SaxesParser } = require('saxes') as { readonly SaxesParser: new () => Parser };

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

interface Rule {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly children: readonly string[];
  readonly maxChildren?: number;
}

const GRAMMAR: Readonly<Record<string, Rule>> = {
  testsuites: {
    required: ['name', 'tests', 'failures', 'errors', 'time'],
    optional: [],
    children: ['testsuite'],
  },
  testsuite: {
    required: ['name', 'tests', 'failures', 'errors', 'skipped', 'time'],
    optional: ['timestamp'],
    children: ['testcase'],
  },
  testcase: {
    required: ['name', 'classname', 'time'],
    optional: ['file', 'line'],
    children: ['failure', 'error', 'skipped'],
    maxChildren: 1,
  },
  failure: { required: ['message', 'type'], optional: [], children: [] },
  error: { required: ['message', 'type'], optional: [], children: [] },
  skipped: { required: ['message'], optional: [], children: [] },
};

interface Open {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

const parseXml = (xml: string): Element => {
  const parser = new SaxesParser();
  const root: Open = { name: '', attributes: {}, children: [], text: '' };
  const stack: Open[] = [root];
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    const open: Open = { name, attributes, children: [], text: '' };
    stack.at(-1)?.children.push(open);
    stack.push(open);
  });
  parser.on('text', (text) => {
    const open = stack.at(-1);
    if (open !== undefined) open.text += text;
  });
  for (const event of ['doctype', 'processinginstruction', 'cdata', 'comment'] as const)
    parser.on(event, () => {
      throw new Error(`${event}: readers differ on it`);
    });
  parser.on('closetag', () => void stack.pop());
  parser.write(xml).close();
  const [element] = root.children;
  if (element === undefined) throw new Error('no element');
  return element;
};

const problemsOf = ({ name, attributes, children, text }: Element): readonly string[] => {
  const rule = GRAMMAR[name];
  if (rule === undefined) return [`unknown element ${name}`];
  const names = Object.keys(attributes);
  const known = [...rule.required, ...rule.optional];
  return [
    ...rule.required.filter((each) => !names.includes(each)).map((each) => `${name} lacks ${each}`),
    ...names.filter((each) => !known.includes(each)).map((each) => `${name} has ${each}`),
    ...children
      .filter((child) => !rule.children.includes(child.name))
      .map((child) => `${child.name} in ${name}`),
    ...(children.length > (rule.maxChildren ?? Number.POSITIVE_INFINITY) ? [`${name} has too many`] : []),
    ...(rule.children.length > 0 && text.trim() !== '' ? [`text in ${name}`] : []),
    ...['time', 'tests', 'failures', 'errors', 'skipped', 'line']
      .filter((each) => attributes[each] !== undefined && !/^\d+(?:\.\d+)?$/.test(attributes[each]))
      .map((each) => `${name}: ${each} is no number`),
    ...children.flatMap(problemsOf),
  ];
};

const count = (cases: readonly Element[], outcome: string): number =>
  cases.filter(({ children }) => children.some(({ name }) => name === outcome)).length;

/** Parses a report that follows the grammar and whose counts agree. */
const parsed = (xml: string): Element => {
  const root = parseXml(xml);
  expect(root.name).toBe('testsuites');
  expect(problemsOf(root)).toEqual([]);
  const all = root.children.flatMap(({ children }) => children);
  for (const [{ attributes }, cases] of [
    [root, all] as const,
    ...root.children.map((suite) => [suite, suite.children] as const),
  ]) {
    expect(Number(attributes['tests'])).toBe(cases.length);
    expect(Number(attributes['failures'])).toBe(count(cases, 'failure'));
    expect(Number(attributes['errors'])).toBe(count(cases, 'error'));
    if (attributes['skipped'] !== undefined)
      expect(Number(attributes['skipped'])).toBe(count(cases, 'skipped'));
  }
  return root;
};

const outcomesIn = (root: Element): readonly string[] =>
  root.children.flatMap(({ attributes: { name: suite }, children }) =>
    children.map(
      ({ attributes, children: [outcome] }) =>
        `${suite} | ${attributes['name']} | ${outcome?.name ?? 'passed'}`,
    ),
  );

describe('a text that is hostile', () => {
  it.each(HOSTILE)('is text in JUnit’s XML: %s', (_name, text) => {
    const root = parsed(toJunit(hostileReport(text)));
    expect(root.children.flatMap(({ children }) => children)).toHaveLength(3);
    expect(JSON.stringify(root)).not.toMatch(/\\u00[01]|\\u202e|\\ufff[ef]|\\ud800/i);
  });

  it('is bounded in length, however many findings a case has', () => {
    const many = Array.from({ length: 5000 }, () => finding({ message: 'x'.repeat(5000) }));
    expect(toJunit(report(reportedCase(many))).length).toBeLessThan(120_000);
  });
});

describe('a case', () => {
  const outcomeOf = (...findings: Parameters<typeof reportedCase>[0]) => {
    const [suite] = parsed(toJunit(report(reportedCase(findings)))).children;
    return suite?.children[0]?.children[0];
  };

  it('fails because of a refusal, and is an error if nothing could be found out', () => {
    expect(outcomeOf(finding())?.name).toBe('failure');
    expect(outcomeOf(finding({ code: 'registry-unavailable' }))?.name).toBe('error');
    expect(outcomeOf(finding({ code: 'not-judged' }))?.name).toBe('error');
  });

  it('is skipped if all that was found is tolerated', () => {
    expect(outcomeOf(finding({ level: 'note', fails: false }))?.name).toBe('skipped');
  });

  it('passes if nothing was found', () => {
    expect(outcomeOf()).toBeUndefined();
  });

  it('has one outcome, the worst, with every finding that led to it', () => {
    const outcome = outcomeOf(
      finding({ level: 'note', fails: false }),
      finding({ code: 'registry-unavailable' }),
      finding(),
      finding({ place: { file: 'manifests/cart.yaml', line: 9 } }),
    );
    expect(outcome).toMatchObject({
      name: 'failure',
      attributes: { type: 'signature-missing', message: expect.stringMatching(/ \(and 1 more\)$/) },
    });
    expect(outcome?.text.split('\n')).toEqual([
      expect.stringMatching(
        /^manifests\/cart\.yaml:7: spec\.template.*: no signature was found \(signature-missing\)/,
      ),
      expect.stringMatching(/^manifests\/cart\.yaml:9: /),
    ]);
  });

  it('says its file and line, which GitLab shows', () => {
    const [suite] = parsed(toJunit(report(reportedCase([])))).children;
    expect(suite?.children[0]?.attributes).toEqual({
      name: 'Deployment shop/cart',
      classname: 'sailmark.review.Deployment',
      time: '0',
      file: 'manifests/cart.yaml',
      line: '2',
    });
  });
});

it('a scan is a suite of its images, of what is configured, of drift, of notices and of what was not seen', () => {
  expect(outcomesIn(parsed(scanToJunit(exampleScan())))).toEqual([
    'images | registry.corp.example/istio/proxyv2:1.28.1 | failure',
    'images | docker.io/istio/proxyv2:1.11.4 | failure',
    'images | registry.silent.example/istio/ztunnel:1.28.1 | error',
    'images | docker.io/istio/pilot:1.11.0 | skipped',
    'images | docker.io/istio/proxyv2:1.28.1 | passed',
    'configured images | ConfigMap istio-system/istio-sidecar-injector data.values.global: docker.io/istio/proxyv2:1.11.4 | failure',
    'running digests | Deployment shop/checkout container istio-proxy: docker.io/istio/proxyv2:1.28.1 | failure',
    'running digests | Deployment shop/checkout container istio-proxy: docker.io/istio/proxyv2:1.28.1 | error',
    'notices | version-unsupported: 1.28 | skipped',
    'notices | version-unsupported: 1.11 | skipped',
    'not seen | rollouts.argoproj.io | skipped',
  ]);
});

it('a report without cases is one that readers accept', () => {
  expect(parsed(toJunit(report())).children).toEqual([]);
});
