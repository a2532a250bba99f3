import { messageOf } from '../../base/index.ts';
import {
  ClusterFault,
  type WebhookEntries,
  type WebhookEntry,
  type WebhookObject,
} from '../../kubernetes/index.ts';
import { planActivation } from './plan.ts';
import type { ReportState } from './report-state.ts';

/** Resolves with the reason why the API server would not trust this replica; undefined if it would. */
export type CheckTrust = (client: Pick<WebhookEntry, 'caBundle' | 'host'>) => Promise<string | undefined>;

/** A JSON patch whose tests fail is 422; a write of an older version is 409. */
const isConflict = (error: unknown): boolean =>
  error instanceof ClusterFault && (error.status === 409 || error.status === 422);

interface ActivateOptions {
  readonly object: WebhookObject;
  readonly restoreTrust: ((signal: AbortSignal) => Promise<void>) | undefined;
  readonly checkTrust: CheckTrust;
  readonly report: ReportState;
  readonly signal: AbortSignal;
}

/**
 * Creates the function that puts an object in force, as far as it may be. Resolves with false if it has to be called again,
 * although the object may not change.
 */
export const createActivate = ({
  object,
  restoreTrust,
  checkTrust,
  report,
  signal,
}: ActivateOptions): ((current: WebhookEntries | undefined) => Promise<boolean>) => {
  let wasTrusted = false;

  /** Once this replica was trusted, rules are put back at once: a lost caBundle must not open the gate for longer. */
  const findObstacle = async (entries: readonly WebhookEntry[]): Promise<string | undefined> => {
    if (wasTrusted) return undefined;
    for (const entry of entries) {
      const problem = await checkTrust(entry);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };

  const activate = async (current: WebhookEntries | undefined): Promise<boolean> => {
    const plan = planActivation(current);
    if (plan.state !== 'inactive' || current === undefined) {
      if (plan.state === 'active') wasTrusted = true;
      report(plan);
      return true;
    }
    const obstacle = await findObstacle(plan.entries);
    if (obstacle !== undefined) {
      report(plan, obstacle);
      return false;
    }
    wasTrusted = true;
    try {
      await object.setRules(current, plan.rules, signal);
    } catch (error) {
      // A lost race is followed by a retry at once; it is no state.
      if (!isConflict(error)) report(plan, `its rules could not be written: ${messageOf(error)}`);
      throw error;
    }
    report({ state: 'active' });
    return true;
  };

  return async (current) => {
    const isDone = await activate(current);
    // An object that was replaced has lost its caBundle too, and until it is back Istio pods are refused.
    if (current?.entries.some(({ caBundle }) => caBundle === undefined) === true)
      await restoreTrust?.(signal);
    return isDone;
  };
};
