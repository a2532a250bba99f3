import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/ports.ts';
import { startProcess } from '../support/process.ts';
import { prometheusPath } from './programs.ts';
import { RULES_FILE } from './rules.ts';

/** A sample of a query. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The state of an alert rule, as Prometheus evaluated it last. */
export interface RuleState {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
  readonly state: 'inactive' | 'pending' | 'firing';
}

/** A real Prometheus that scrapes every second and evaluates the alert rules. */
export interface Prometheus {
  query(expression: string): Promise<readonly Sample[]>;
  /** The values of a label, of the series that match. */
  labelValues(label: string, match: string): Promise<readonly string[]>;
  rules(): Promise<readonly RuleState[]>;
  /** Resolves once each target was scraped so many times. */
  untilScraped(times: number): Promise<void>;
  stop(): Promise<void>;
}

const configurationOf = (targets: Readonly<Record<string, string>>): string =>
  JSON.stringify({
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [RULES_FILE],
    scrape_configs: Object.entries(targets).map(([job, target]) => ({
      job_name: job,
      static_configs: [{ targets: [target], labels: { namespace: 'sailmark' } }],
    })),
  });

/** Starts Prometheus with these targets by the names of their jobs. */
export const startPrometheus = async (targets: Readonly<Record<string, string>>): Promise<Prometheus> => {
  await using started = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-prometheus-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'prometheus.json'), configurationOf(targets));
  const address = `127.0.0.1:${await freePort()}`;
  const child = started.use(
    startProcess(prometheusPath(), [
      `--config.file=${join(directory, 'prometheus.json')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${address}`,
      '--log.level=warn',
    ]),
  );
  const get = async <Data>(
    path: string,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<Data> => {
    const response = await fetch(
      `http://${address}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`,
    );
    const { status, data, error } = (await response.json()) as { status: string; data: Data; error?: string };
    if (status !== 'success') throw new Error(`${path} ${JSON.stringify(parameters)}: ${error}`);
    return data;
  };
  const query = async (expression: string): Promise<readonly Sample[]> => {
    type Row = {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [number, string];
    };
    const { result } = await get<{ readonly result: readonly Row[] }>('query', { query: expression });
    return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  };
  const running = started.move();
  return {
    query,
    labelValues: (label, match) => get(`label/${label}/values`, { 'match[]': match }),
    async rules() {
      const { groups } = await get<{ readonly groups: readonly { readonly rules: readonly RuleState[] }[] }>(
        'rules',
      );
      return groups.flatMap(({ rules }) => rules);
    },
    async untilScraped(times) {
      for (let tries = 0; tries < 300; tries += 1) {
        const counts = await query('count_over_time(up[1h]) and up == 1').catch(() => []);
        if (counts.filter(({ value }) => value >= times).length === Object.keys(targets).length) return;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      throw new Error(`Prometheus did not scrape: ${child.output().slice(-2000)}`);
    },
    stop: () => running.disposeAsync(),
  };
};

/*
 * The metrics that a kube-apiserver has of sailmark's entries, by their real names and labels
 * (k8s.io/apiserver, pkg/admission/metrics). A real one would need a cluster; what it counts is not tested here.
 */
const apiServerMetrics = (scrapes: number): string => {
  const entry = 'name="enforce.sailmark.dev"';
  const validating = `${entry},operation="CREATE",type="validating"`;
  const duration = 'apiserver_admission_webhook_admission_duration_seconds';
  const counter = (name: string, labels: string): string =>
    `# TYPE ${name} counter\n${name}{${labels}} ${scrapes}\n`;
  return [
    counter(
      'apiserver_admission_webhook_rejection_count',
      `error_type="calling_webhook_error",rejection_code="500",${validating}`,
    ),
    counter('apiserver_admission_webhook_fail_open_count', `${entry},type="validating"`),
    counter('apiserver_admission_match_condition_evaluation_errors_total', `kind="webhook",${validating}`),
    `# TYPE ${duration} histogram\n`,
    ...['0.005', '0.5', '+Inf'].map(
      (le) => `${duration}_bucket{${validating},rejected="false",le="${le}"} ${scrapes}\n`,
    ),
    `${duration}_sum{${validating},rejected="false"} 0\n${duration}_count{${validating},rejected="false"} ${scrapes}\n`,
  ].join('');
};

/** Serves the metrics of an API server; each counter is the number of scrapes. */
export const startApiServerMetrics = async (): Promise<{ readonly address: string; stop(): void }> => {
  let scrapes = 0;
  const server = createServer((_request, response) => {
    scrapes += 1;
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(apiServerMetrics(scrapes));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
};
