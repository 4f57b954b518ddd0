import type { ProblemCode } from './problems.ts';

/** What a problem tells its reader beyond its title. */
export interface ProblemGuide {
  /** What happened, and what did not happen. */
  readonly meaning: string;
  /** What the caller does next. */
  readonly toDo: string;
}

/** The meaning of every problem and what to do about it: for the OpenAPI description and the problem pages. */
export const problemGuide: Readonly<Record<ProblemCode, ProblemGuide>> = {
  invalid_request: {
    meaning:
      'The request does not have the documented form: a field is missing, malformed, repeated or unknown, a text is not valid UTF-8, or the body is not JSON. Nothing was done.',
    toDo: 'Read `errors`: each entry names a field (`path`) and what is wrong with it (`message`). Correct the request; repeating it unchanged cannot succeed. U+FFFD in a text means that some program read bytes that are not UTF-8 and replaced them: send the original text as UTF-8.',
  },
  unauthorized: {
    meaning:
      'The `Authorization` header is missing, or its credential is malformed, unknown, expired, revoked or from another environment. The answer does not say which. Nothing was done.',
    toDo: 'Send `Authorization: Bearer pcg_…` with a valid credential of this environment. If your credential worked before, it has expired or was revoked: ask the operator for a new one.',
  },
  forbidden: {
    meaning:
      'The credential is valid but lacks the scope that this operation needs (`detail` names it), or no usage plan is set up for you yet, or the firewall rejected the request. Nothing was done. (The answer of the firewall has the type `application/json`, and its `requestId` is `none`.)',
    toDo: 'Use a credential with that scope, or ask the operator for one. If `detail` names the usage plan or the firewall, only the operator can help: give them the `requestId`, or the time of the request.',
  },
  job_not_found: {
    meaning:
      'No job of yours has this externalId or jobId. The answer is the same whether Plangrep has no such job, the job is not in one of your projects or has another externalId there, another partner has registered it, or it was registered only after this `Idempotency-Key` was first used. When you read a cancellation, it can also mean that no cancellation of the job was requested. Nothing was done.',
    toDo: 'Check the spelling: an externalId is compared byte for byte, and it must be the one that the job has at Plangrep, unless it has none there. Check the credential: `detail` names the partner that it belongs to. If the job is not registered, register it with `PUT /v1/jobs/{jobId}`. Then repeat the cancel with a new `Idempotency-Key`, or without one. If registering gets this problem too, the jobId is misspelt, or the job is not in a project that the operator has entered for you: ask the operator to add it.',
  },
  route_not_found: {
    meaning:
      'This address does not exist. The service says so with and without a credential, and whatever the method is. Nothing was done.',
    toDo: 'Compare the path with this description. One slash at its end makes no difference.',
  },
  method_not_allowed: {
    meaning: 'This address exists, but not with this method. Nothing was done.',
    toDo: 'Use one of the methods that the header `Allow` names.',
  },
  ambiguous_external_id: {
    meaning:
      'Several of your jobs with this externalId have not ended. The service never guesses which one you mean. Nothing was done.',
    toDo: 'Choose the job from `candidates` and repeat the request with its `jobId`. If you send an `Idempotency-Key`, use a new one.',
  },
  job_already_terminal: {
    meaning:
      'The job ended before a cancel reached it; `jobStatus` says how. The attempt is on record: `cancellation` shows it with the outcome `too_late`.',
    toDo: 'Nothing is left to cancel. If you want the results of the job, get them from Plangrep.',
  },
  job_unknown_to_plangrep: {
    meaning:
      'The job is registered here, but Plangrep has answered for minutes that it does not exist. That is on record: `cancellation` shows it with the outcome `job_not_found`. Our operators are told.',
    toDo: 'Check that the jobId is the one that Plangrep gave you, and that the job belongs to the same Plangrep organization. Once Plangrep knows the job, repeat the request: it begins the cancellation anew.',
  },
  job_registered_otherwise: {
    meaning:
      'You have registered this jobId under another externalId. A job keeps the externalId of its first registration. Nothing was changed.',
    toDo: 'Check the jobId. To cancel a job that you registered earlier, use the externalId of that registration.',
  },
  too_many_jobs: {
    meaning:
      'Twenty of your jobs with this externalId have not ended, as many as may go by one externalId. Nothing was changed.',
    toDo: 'Register the job under another externalId, or cancel jobs that you no longer need; a job that has ended makes room.',
  },
  body_too_large: {
    meaning: 'The body has more than 8192 bytes. Nothing was done.',
    toDo: 'Send a smaller body: the documented fields fit easily. A `reason` has at most 500 characters.',
  },
  unsupported_media_type: {
    meaning: 'The body is not declared as JSON. Nothing was done.',
    toDo: 'Send `Content-Type: application/json` and a JSON body.',
  },
  idempotency_key_reused: {
    meaning:
      'This `Idempotency-Key` was first used for a request with another externalId, jobId or reason. Nothing was done for this request; the first one is not affected.',
    toDo: 'Use a new key for every new request. Use the same key only to repeat exactly the same request.',
  },
  too_many_requests: {
    meaning:
      'You send requests faster than your plan allows, all your credentials together, or the requests of your plan for today are used up, or the firewall counted too many requests from one credential or address. Nothing was done.',
    toDo: 'Wait for the number of seconds in `Retry-After`, then send the same request again. Add random jitter between repeats.',
  },
  internal_error: {
    meaning:
      'The service has an internal error. It is in our records under `requestId`. The request may or may not have taken effect.',
    toDo: 'Repeat the same request with growing pauses, and with the same `Idempotency-Key` if you sent one: no job is cancelled twice. If the error persists, give the operator the `requestId`.',
  },
  temporarily_unavailable: {
    meaning: 'A component that the service needs did not answer. The request may not be on record.',
    toDo: 'Wait for the number of seconds in `Retry-After`. Then repeat the same request, with the same `Idempotency-Key` if you sent one: no job is cancelled twice. If `detail` says that your jobs cannot be listed, register the job first: a registered job is found without the list.',
  },
  gateway_timeout: {
    meaning: 'No answer came in time. The request may have taken effect.',
    toDo: 'Repeat the same request, with the same `Idempotency-Key` if you sent one: no job is cancelled twice. Or read the cancellation to see whether it exists.',
  },
};
