import {
  cancellationListSchema,
  cancellationSchema,
  cancellationWithTimelineSchema,
  previewListSchema,
  previewSchema,
  closedCancellationSchema,
  closedWithTimelineSchema,
  openCancellationSchema,
  openWithTimelineSchema,
  refusalSchema,
  registeredJobSchema,
  timelineEntrySchema,
} from '../../functions/contract/answers.ts';
import { type Component, message, union } from './describe-message.ts';

const cancellationFields = {
  jobId: "The job's id at Plangrep.",
  externalId: 'Your own id for the job, as the first request gave it.',
  jobStatus: "The job's status at Plangrep when the service last read it. Null: not known.",
  pageCount: 'How many pages the job has. Null: Plangrep has not said.',
  successfulPageCount: 'How many pages were processed. Null: Plangrep has not said.',
  creditsDebited: 'The credits that Plangrep has charged for the job. Null: Plangrep has not said.',
  attempts: 'How many attempts to cancel the job the service has started.',
  requestedAt: 'When the first request for it was recorded.',
  escalatedAt: 'When the service alerted its operator, because it had been open for too long. Null: not alerted.',
};
const whileOpen = 'Null while it is open.';
const openFields = {
  ...cancellationFields,
  state: '`open` until Plangrep confirms how the job ended.',
  outcome: whileOpen,
  nextLookAt: 'When the service looks at the job next. A later time than before shows that it has looked.',
  closedAt: whileOpen,
  ranMs: whileOpen,
  spentMs: whileOpen,
  creditsDebitedMeanwhile: whileOpen,
};
const closedFields = {
  ...cancellationFields,
  state: '`closed` permanently.',
  outcome: 'How it ended.',
  nextLookAt: 'Null: the service does not look at the job any more.',
  closedAt: 'When it was closed.',
  ranMs:
    'Milliseconds that the job ran after the request, by its own time of completion where Plangrep tells it. Null for a job that Plangrep does not know.',
  spentMs:
    'Milliseconds from the request to `closedAt`, by whom they were spent; they add up to it. `us`: this service. `plangrep`: its calls, the waits that it asked for, its processing of the accepted cancel. `person`: someone had to act, for example resume a job that was out of credits.',
  creditsDebitedMeanwhile:
    'Credits debited between the first and the last time that the service read the job during the cancellation: at least these. Null where fewer than two reads told.',
};
const timelineFields = {
  looks:
    'How often the service asked Plangrep about the job: by its attempts, and by the polls of an accepted cancel, which are in the timeline only if they changed something.',
  lastLookedAt: 'When the service last began to ask Plangrep about the job.',
  joinedCount:
    'How many other requests for the same job joined it. Counted up to 1000, which stands for 1,000 or more.',
  timeline:
    'What is on record, in order of time. Of the events at most 200: the first and the newest, and their `seq` shows a gap. Of the `joined` requests the newest: at most 100, and fewer where they are so long that the answer would exceed 256 KB.',
};

export const refusalFields = {
  at: 'When it was refused for good. An event is tried for 5 minutes before.',
  why: '`job_not_found`, `ambiguous_external_id` and `idempotency_key_reused`: as the problems. `unresolved`: the service could not find out which job was meant; repeat it. More may be added.',
  door: 'How it came: `https`, or `events` for an event.',
  requestId: 'The `requestId` of the request; of an event its `id`.',
  jobId: 'The jobId that it asked for. Null: none.',
};

/** The answers, with a text for each field. */
export const answers: Readonly<Record<string, Component>> = {
  RegisteredJob: message(registeredJobSchema, 'A registered job.', {
    jobId: "The job's id at Plangrep.",
    externalId: 'The id by which the job is cancelled.',
    projectId: 'The Plangrep project of the job. Null: not known.',
    registeredAt: 'When the job was first registered.',
    verifiedAt:
      'When Plangrep confirmed that the job is yours. Null: Plangrep did not answer. The registration then counts for 7 days, and the first cancel asks Plangrep again.',
  }),
  Cancellation: union(
    cancellationSchema,
    'state',
    'The one effort to cancel one job. Fields may be added: ignore those that you do not know.',
  ),
  OpenCancellation: message(
    openCancellationSchema,
    'A cancellation whose end is not certain: the service retries until the job has ended.',
    openFields,
  ),
  ClosedCancellation: message(closedCancellationSchema, 'A cancellation that has ended.', closedFields),
  TimelineEntry: message(
    timelineEntrySchema,
    'One event of the cancellation. Fields may be added: ignore those that you do not know.',
    {
      at: 'When it happened.',
      type: 'What happened. More types may be added: skip the ones that you do not know.',
      seq: 'Its number in the audit trail: 1, 2, 3 … A `joined` request is recorded beside the trail and has none.',
      about: 'Of a `callback`, which is an attempt to tell you: the number of the event that it tells of.',
      attempt: 'Which attempt it belongs to: 1, 2, 3 … Of a `callback`, which attempt to tell you about that event.',
      result:
        'How the attempt ended (`attempt_ended`): `accepted`, `refused`, `rate_limited`, `key_refused`, `not_sent`, `not_found` or `unknown`. What a later read showed (`observed`): `job` or `not_found`. How you were told (`callback`): `delivered`, `failed`, `paused` or `erased`. More may be added.',
      why: 'More about an attempt that was `not_sent` or ended as `unknown`, such as `timeout`, and about a `callback` that was not delivered. More values may be added.',
      httpStatus: 'The HTTP status of the answer from Plangrep; of a `callback`, from your endpoint.',
      nextAt: 'When a `callback` that failed is tried again. Absent: no other follows, unless an operator replays it.',
      outcome: 'How the cancellation ended (`closed`).',
      jobStatus: "The job's status at Plangrep at that time.",
      requestId: 'The `requestId` of the request (`requested`, `joined`).',
      keyId: 'Which of your credentials made the request. Absent if the request came as an event.',
      reason: 'The reason that the request gave.',
    },
    ['type'],
  ),
  CancellationWithTimeline: union(
    cancellationWithTimelineSchema,
    'state',
    'A cancellation with everything that is recorded about it. Fields may be added.',
  ),
  OpenCancellationWithTimeline: message(
    openWithTimelineSchema,
    'A cancellation whose end is not certain, with its timeline.',
    {
      ...openFields,
      ...timelineFields,
    },
  ),
  ClosedCancellationWithTimeline: message(
    closedWithTimelineSchema,
    'A cancellation that has ended, with its timeline.',
    {
      ...closedFields,
      ...timelineFields,
    },
  ),
  CancellationList: message(cancellationListSchema, 'One page of the cancellations of the jobs with an externalId.', {
    cancellations:
      "The newest job's first. A page may have fewer than `limit`, even none: a job that no request has asked to cancel, or that is not verified, has no cancellation, and a page never exceeds 256 KB.",
    refusals:
      'Your requests for this externalId that reached no job, the newest first: at most 20 of the last 30 days, the same on every page.',
    refusedCount: 'How many such requests there are. Counted up to 100, which stands for 100 or more.',
    nextCursor: 'The `cursor` of the next page. Null: this is the last page. Nothing else shows that.',
  }),
  PreviewList: message(previewListSchema, 'What cancels would do.', {
    previews: 'One for each externalId, in their order.',
  }),
  Preview: message(
    previewSchema,
    'What a cancel of an externalId would do now. Fields may be added: ignore those that you do not know.',
    {
      externalId: 'The externalId that you asked about.',
      state:
        '`will_cancel`: the job runs, and a cancel would be sent to Plangrep. `under_way`: it is being cancelled already. `already_ended`: nothing is left to cancel. `unknown_to_plangrep`: the job is yours, but Plangrep does not show it now. `ambiguous`: several jobs have not ended. `not_found`: no job of yours has this externalId. `unresolved`: not known at the moment; ask again. More may be added: do not cancel what you do not know.',
      jobId: 'The job that a cancel would reach. Null: none, or not one alone.',
      jobStatus: "The job's status at Plangrep, as the service knows it. Null: not known.",
      candidates: 'With `ambiguous`: two or more of the jobs that have not ended. Otherwise empty.',
    },
    ['state'],
  ),
  Refusal: message(
    refusalSchema,
    'A request of yours that reached no job: nothing was done. Fields may be added: ignore those that you do not know.',
    refusalFields,
    ['why', 'door'],
  ),
};
