import { globSync, readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';

/*
 * The workflows run nothing that can change under its name, and each job has no more rights than it needs.
 */

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>> | string;
  readonly 'timeout-minutes'?: number;
  readonly container?: { readonly image: string };
  readonly environment?: string;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const root = new URL('..', import.meta.url).pathname;
const filesLike = (pattern: string): string[] => globSync(pattern, { cwd: root }).toSorted();
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');

const workflows = filesLike('.github/workflows/*').map((path) => ({
  path,
  text: read(path),
  workflow: load(read(path)) as Workflow,
}));
const files = [...workflows, ...filesLike('.github/actions/*/*').map((path) => ({ path, text: read(path) }))];
const jobs = workflows.flatMap(({ path, workflow }) =>
  Object.entries(workflow.jobs).map(([name, job]) => ({ name: `${path} ${name}`, job })),
);
const steps = jobs.flatMap(({ name, job }) => job.steps.map((step) => ({ name, step })));

const PINNED = /^\s*(?:- )?uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
const OWN = /^\s*(?:- )?uses: \$\/\.github\/actions\/[\w-]+$/;

/** Lines with `uses:` that name neither a commit with its version, nor an action of this repository at the workflow's own commit. */
const unpinned = (text: string): string[] =>
  text.split('\n').filter((line) => /\buses:/.test(line) && !PINNED.test(line) && !OWN.test(line));

/** Rights of a job that may be more than reading, each with the workflows that have a reason. */
const WRITES: Readonly<Record<string, readonly string[]>> = {
  'security-events': ['codeql.yml', 'scorecard.yml'],
  'id-token': ['release.yml', 'scorecard.yml'],
  packages: ['release.yml'],
  contents: ['release.yml'],
};

const undueRights = ({ name, job }: { readonly name: string; readonly job: Job }): string[] => {
  const { permissions } = job;
  if (typeof permissions !== 'object') return [`${name}: ${permissions ?? 'no permissions of its own'}`];
  return Object.entries(permissions)
    .filter(
      ([right, access]) => access !== 'read' && !WRITES[right]?.some((file) => name.includes(`/${file} `)),
    )
    .map(([right, access]) => `${name}: ${right}: ${access}`);
};

describe('an action in a workflow', () => {
  it.each([
    'uses: actions/checkout@v7',
    'uses: actions/checkout@main # v7.0.1',
    `uses: actions/checkout@${'0'.repeat(40)}`,
    `uses: actions/checkout@${'0'.repeat(40)} # v7`,
    `uses: actions/checkout@${'0'.repeat(39)} # v7.0.1`,
    'uses: ./.github/actions/set-up',
    'uses: docker://alpine:3',
  ])('would be refused as %j', (line) => {
    expect(unpinned(`      - ${line}`)).toEqual([`      - ${line}`]);
  });

  it('is named by its commit, with its version in a comment', () => {
    expect(files.filter(({ text }) => /\buses:/.test(text)).length).toBeGreaterThan(5);
    expect(files.flatMap(({ path, text }) => unpinned(text).map((line) => `${path}: ${line}`))).toEqual([]);
  });

  it('has one commit and one version everywhere', () => {
    const pins = files.flatMap(({ text }) => [...text.matchAll(/uses: ([\w.-]+\/[\w.-]+)\S*@(\S+ # \S+)/g)]);
    const byAction = Map.groupBy(pins, ([, action]) => action);
    const several = [...byAction].filter(([, found]) => new Set(found.map(([, , pin]) => pin)).size > 1);
    expect(several.map(([action]) => action)).toEqual([]);
  });

  it('checks out without leaving its token in the checkout', () => {
    const checkouts = steps.filter(({ step }) => step.uses?.startsWith('actions/checkout@') === true);
    expect(checkouts.length).toBeGreaterThan(0);
    expect(checkouts.filter(({ step }) => step.with?.['persist-credentials'] !== false)).toEqual([]);
  });
});

describe('a workflow', () => {
  it('gives no rights to all of its jobs, and runs nothing twice beside itself', () => {
    expect(workflows.length).toBeGreaterThan(0);
    expect(workflows.filter(({ workflow }) => JSON.stringify(workflow.permissions) !== '{}')).toEqual([]);
    expect(workflows.filter(({ workflow }) => workflow.concurrency === undefined)).toEqual([]);
  });

  it('never runs with the rights of this repository on what a stranger proposes', () => {
    const privileged = ['pull_request_target', 'workflow_run', 'issue_comment', 'issues', 'discussion'];
    expect(workflows.filter(({ workflow }) => privileged.some((event) => event in workflow.on))).toEqual([]);
  });

  it('publishes from a tag of a version only', () => {
    const publishing = workflows.filter(({ text }) =>
      /packages: write|contents: write|npm publish/.test(text),
    );
    expect(publishing.map(({ path, workflow }) => [path, workflow.on])).toEqual([
      ['.github/workflows/release.yml', { push: { tags: ['v*'] } }],
    ]);
  });
});

describe('a job', () => {
  it('would be refused with rights that nothing gives a reason for, or that it does not name', () => {
    const job = { steps: [] };
    const name = '.github/workflows/ci.yml checks';
    expect(undueRights({ name, job })).toHaveLength(1);
    expect(undueRights({ name, job: { ...job, permissions: 'write-all' } })).toHaveLength(1);
    expect(undueRights({ name, job: { ...job, permissions: { contents: 'write' } } })).toHaveLength(1);
  });

  it('names its rights, and may only read unless there is a reason', () => {
    expect(jobs.flatMap(undueRights)).toEqual([]);
  });

  it('ends after a time, and runs in a container that is pinned by digest, if in one', () => {
    expect(jobs.filter(({ job }) => job['timeout-minutes'] === undefined)).toEqual([]);
    const images = jobs.flatMap(({ job }) => job.container?.image ?? []);
    expect(images.filter((image) => !/^\S+:\S+@sha256:[0-9a-f]{64}$/.test(image))).toEqual([]);
  });

  it('asks a person, by the environment, before it signs or publishes', () => {
    const signing = jobs.filter(
      ({ name, job }) =>
        name.includes('/release.yml ') && JSON.stringify(job.permissions).includes('id-token'),
    );
    expect(signing.length).toBeGreaterThan(0);
    expect(signing.filter(({ job }) => job.environment !== 'release')).toEqual([]);
  });

  it('puts no expression into a script, where a name could become a command', () => {
    expect(steps.filter(({ step }) => step.run?.includes('${{') === true)).toEqual([]);
  });
});
