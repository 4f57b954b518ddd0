import type * as z from 'zod/mini';
import type {
  CancellationAnswer,
  CancellationWithTimeline,
  problemSchema,
  registeredJobSchema,
  TimelineEntry,
} from '../../functions/contract/answers.ts';
import type { cancelRequestSchema, registerJobSchema } from '../../functions/contract/requests.ts';

/** A text for each field, none forgotten and none too many. */
type Fields<Message> = { readonly [Field in keyof Required<Message>]: string };

const cancelRequest: Fields<z.infer<typeof cancelRequestSchema>> = {
  externalId: 'Which job: your own id for it.',
  jobId: 'Which of the jobs with this externalId: needed only where several of them have not ended.',
  reason: 'Why, in your own words. Kept in the audit trail and shown in the timeline.',
};

const registerJobRequest: Fields<z.infer<typeof registerJobSchema>> = {
  externalId: 'The id that you will cancel the job by.',
  projectId: 'The Plangrep project that the job is in. For your own records.',
};

const registeredJob: Fields<z.infer<typeof registeredJobSchema>> = {
  jobId: "The job's id at Plangrep.",
  externalId: 'The id that the job is cancelled by.',
  projectId: 'The Plangrep project that the job is in. Null: not given.',
  registeredAt: 'When the job was first registered.',
};

const cancellation: Fields<CancellationAnswer> = {
  jobId: "The job's id at Plangrep.",
  externalId: 'Your own id for the job, as the first request had it.',
  state: '`open` until Plangrep confirms how the job ended, then `closed` for ever.',
  outcome: 'How it ended. Null while it is open.',
  jobStatus: "The job's status at Plangrep when it was last looked at. Null: not known.",
  pageCount: 'How many pages the job has. Null: Plangrep has not said.',
  successfulPageCount: 'How many pages were processed. Null: Plangrep has not said.',
  creditsDebited: 'The credits that Plangrep has charged for the job. Null: Plangrep has not said.',
  attempts: 'How many attempts were begun to cancel the job.',
  requestedAt: 'When the first request for it was put on record.',
  escalatedAt: 'When it had been open for so long that the operator was alerted. Null: it was not.',
  closedAt: 'When it was closed. Null while it is open.',
};

const timelineEntry: Fields<TimelineEntry> = {
  at: 'When it happened.',
  type: 'What happened. More types may be added: skip the ones that you do not know.',
  seq: 'Its number in the audit trail: 1, 2, 3 … A `joined` request stands beside the trail and has none.',
  attempt: 'Which attempt it belongs to: 1, 2, 3 …',
  result:
    'How the attempt ended (`attempt_ended`): `accepted`, `refused`, `rate_limited`, `key_refused`, `not_sent` or `unknown`. More may be added.',
  why: 'More about an attempt that was `not_sent` or ended as `unknown`, such as `timeout`. More values may be added.',
  httpStatus: 'The HTTP status that Plangrep answered.',
  outcome: 'How the cancellation ended (`closed`).',
  jobStatus: "The job's status at Plangrep at that time.",
  requestId: 'The `requestId` of the request (`requested`, `joined`).',
  keyId: 'Which of your credentials made the request. Absent for one that came as an event.',
  reason: 'The reason that the request gave.',
};

const cancellationWithTimeline: Fields<CancellationWithTimeline> = {
  ...cancellation,
  timeline: 'Everything on record, in order of time; of the `joined` requests the newest 100.',
};

const problem: Fields<z.infer<typeof problemSchema>> = {
  type: 'The address of a page about this problem, relative to this API.',
  title: "The problem's title: the same whenever the code is.",
  status: 'The HTTP status.',
  detail: 'What happened this time, for a person to read. Do not parse it.',
  code: 'Which problem it is, for your program to go by. More codes may be added: go by the status then.',
  requestId: 'Names this request in our records. Give it to the operator when you ask about it.',
  retryable: 'Whether the same request can succeed later without a change.',
  errors:
    'With `invalid_request`: what is wrong, field by field. `path` names the field, or is empty for the whole body.',
  jobStatus: 'With `job_already_terminal`: how the job ended. Null: not known.',
  cancellation: 'With `job_already_terminal` and `job_unknown_to_plangrep`: the cancellation as it is on record.',
  candidates:
    'With `ambiguous_external_id`: the jobs that have not ended. Repeat the request with the `jobId` of one of them.',
};

/** What each field means, by the name of its schema in the description. */
export const fieldDescriptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  CancelRequest: cancelRequest,
  RegisterJobRequest: registerJobRequest,
  RegisteredJob: registeredJob,
  Cancellation: cancellation,
  TimelineEntry: timelineEntry,
  CancellationWithTimeline: cancellationWithTimeline,
  CancellationList: { cancellations: "The newest job's first; of the newest 20 jobs with this externalId." },
  Problem: problem,
};
