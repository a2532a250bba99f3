import { onTestFinished } from 'vitest';
import { type InProcessWebhook, reasonsOf, startInProcessWebhook } from './in-process-webhook.ts';
import { type MirroredImage, startMirror } from './mirror.ts';

/** A webhook, and two images of its mirror: one signed, one not. */
export interface WebhookAndImages {
  readonly webhook: InProcessWebhook;
  readonly signed: MirroredImage;
  readonly unsigned: MirroredImage;
  /** The number of requests to the registry so far. */
  requests(): number;
}

export const startWithImages = async (configuration: object = {}): Promise<WebhookAndImages> => {
  const mirror = await startMirror();
  onTestFinished(() => mirror.registry.close());
  const webhook = await startInProcessWebhook({ ...mirror.configuration, ...configuration });
  const [signed, unsigned] = [mirror.add(), mirror.add({ by: false })];
  return { webhook, signed, unsigned, requests: () => mirror.registry.requests.length };
};

/**
 * Sends a review. Resolves with its response without the texts: the number of warnings, and the status code of a
 * refusal.
 */
export const responseSummary = async (
  webhook: InProcessWebhook,
  body: object,
  path = '/validate/enforce',
) => {
  const response = await webhook.sendReview(path, body);
  return {
    allowed: response.allowed,
    status: response.status?.code,
    warnings: response.warnings?.length ?? 0,
    verdict: response.auditAnnotations?.['verdict'],
    reasons: reasonsOf(response),
    skipped: response.auditAnnotations?.['skipped'],
  };
};

const UNSIGNED = ['signature-missing'];
const nothing = { status: undefined, warnings: 0, skipped: undefined };
export const allowed = { ...nothing, allowed: true, verdict: 'allow', reasons: [] };
export const refused = { ...nothing, allowed: false, status: 403, verdict: 'deny', reasons: UNSIGNED };
export const warned = { ...nothing, allowed: true, warnings: 1, verdict: 'warn', reasons: UNSIGNED };
export const audited = { ...nothing, allowed: true, verdict: 'audit', reasons: UNSIGNED };
export const notJudged = (skipped: string) => ({ ...allowed, skipped });
