import type { Digest } from '../image/index.ts';
import type { VerificationContext } from './context.ts';
import { recallVerified } from './outcome/conclude.ts';
import type { UndeterminedReason } from './verification.ts';

/**
 * Charges a question to the namespace of the verification. Returns the reason to refuse it if the namespace has asked too
 * many. A tag whose last digest is verified is not charged, nor is what no namespace asked for.
 */
export const chargeQuestion = ({
  memory,
  request,
  known,
  charged,
}: VerificationContext): UndeterminedReason | undefined => {
  const { requester } = request;
  if (known || requester === undefined) return undefined;
  if (!memory.budgets.take(requester)) return { code: 'request-budget-exceeded', namespace: requester };
  charged.questions += 1;
  return undefined;
};

/** Gives back a question that was charged and not sent: the registry is known to be down, or its caller left too early. */
export const refundUnsent = ({ memory, request, charged }: VerificationContext): void => {
  if (request.requester === undefined || charged.questions === 0) return;
  memory.budgets.giveBack(request.requester, 1);
  charged.questions -= 1;
};

/** Gives back what was charged for an image that is verified, even if its caller has left. */
export const refundVerified = (context: VerificationContext, digest: Digest | undefined): void => {
  const { memory, request, charged } = context;
  if (request.requester === undefined || charged.questions === 0 || digest === undefined) return;
  if (recallVerified(context, request, digest, 0) === undefined) return;
  memory.budgets.giveBack(request.requester, charged.questions);
  charged.questions = 0;
};
