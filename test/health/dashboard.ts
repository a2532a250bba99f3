import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

interface Target {
  readonly expr: string;
}

/** A panel of the dashboard; a row has no targets. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit: string;
      readonly thresholds: { readonly steps: readonly { readonly value: number | null }[] };
    };
  };
  readonly targets?: readonly Target[];
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly definition?: string;
}

export interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

const TEXT = readFileSync(new URL('../../charts/sailmark/files/dashboard.json', import.meta.url), 'utf8');

export const dashboard = JSON.parse(TEXT) as Dashboard;

/** Decodes a dashboard strictly, by the types that Grafana generates from its schema. Resolves with the problems, or ''. */
export const schemaProblems = (text = TEXT): Promise<string> =>
  new Promise((resolve, reject) => {
    const program = process.env['DASHBOARD_SCHEMA'];
    if (program === undefined)
      return reject(new Error('DASHBOARD_SCHEMA is not set: these tests are run by .ci/health'));
    const child = execFile(program, (error, _stdout, stderr) => resolve(error === null ? '' : stderr));
    return child.stdin?.end(text);
  });

/** Every query of the panels, with the title of its panel. */
export const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr })),
);

/** Fills the variables of a query as Grafana does. */
export const fillVariables = (expr: string): string =>
  expr
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$namespace', 'sailmark')
    .replaceAll('$job', 'sailmark-metrics')
    .replaceAll('$replica', '.*');
