import type { WebhookObject } from '../../kubernetes/index.ts';
import type { Log, Metrics } from '../../observability/index.ts';
import type { ActivationPlan } from './plan.ts';

/** Reports a state, and what it waits for. */
export type ReportState = (plan: ActivationPlan, waitsFor?: string) => void;

interface ReportOptions {
  readonly object: Pick<WebhookObject, 'name'>;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'setActive'>;
}

const logState = (log: Log, fields: object, plan: ActivationPlan): void => {
  switch (plan.state) {
    case 'active':
      return log.info(fields, 'the webhook configuration is in force');
    case 'inactive':
      return log.warn(fields, 'the webhook configuration is not in force yet: nothing is refused');
    case 'suspended':
      return log.warn(
        { ...fields, reason: plan.reason },
        'the webhook configuration is suspended: rules that are removed stay away',
      );
    case 'absent':
      return log.warn(fields, 'the webhook configuration does not exist: nothing is refused');
    case 'unusable':
      break;
  }
  return log.error(
    { ...fields, problem: plan.problem },
    'the webhook configuration cannot be put in force: restore what the chart renders',
  );
};

/** Creates the function that keeps the metric, and logs each state once, when it begins. */
export const createReportState = ({ object, log, metrics }: ReportOptions): ReportState => {
  let last: string | undefined;
  return (plan, waitsFor) => {
    metrics.setActive(plan.state === 'active');
    const fields = { webhookConfiguration: object.name, state: plan.state, waitsFor };
    const state = JSON.stringify(fields);
    if (state !== last) logState(log, fields, plan);
    last = state;
  };
};
