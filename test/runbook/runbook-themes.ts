/** Which file of test/runbook plays which alarms' sections. */
export const themes = {
  cancellations: [
    'Cancellations escalated',
    'Plangrep refuses the key',
    'Plangrep does not know our jobs',
    'Cancelled job unknown to Plangrep',
    "Plangrep's key is over 90 days old",
  ],
  'wake-ups': ['Wake-ups overdue', 'Wake-ups fail', 'Wake-up queue loses messages', 'Reconciler runs missed'],
  answers: [
    'Answers are 5xx',
    'Functions fail',
    'Unexpected errors',
    'A dependency is unavailable',
    'Functions are throttled',
    'Tables are throttled',
    'Answers are slow',
  ],
  events: [
    'Events fail',
    'Events wait',
    'Events pile up',
    'Events are malformed',
    'Events in the dead-letter queue',
    'Events undelivered',
    'Outgoing events undelivered',
  ],
  callbacks: ['Callbacks wait', 'Callbacks in the dead-letter queue', 'Callbacks kept', "A partner's callbacks"],
  records: [
    'Records cannot be read',
    'Audit trail broken',
    'Cancellation log altered',
    'Partners or job directory altered',
    'Table settings changed',
  ],
  archive: [
    'Cancellation log rewritten',
    'Archive altered',
    'Archive falls behind',
    'Records not archived',
    'Digest overdue',
    "Replacing the archive's key",
  ],
  partners: ['Listings are impossible', 'Listings fail', 'Ownership refused'],
  tasks: [
    "Rotating Plangrep's key without downtime",
    'Taking a role',
    'Redriving the dead-letter queue',
    "A partner's share",
    'What a month took and cost',
    "Revoking a partner's key",
    'Cancelling many jobs of a partner',
    'Switching a sandbox on and off',
  ],
} as const satisfies Record<string, readonly string[]>;
export type Theme = keyof typeof themes;

/** Alarms whose cause does not exist in the local run, and why. Their commands are typed all the same. */
export const onlyInAws: Readonly<Record<string, string>> = {
  'Events undelivered':
    'the local bus puts an event into the queue or refuses it: it has no queue of undelivered events',
  'Outgoing events undelivered': 'the local run repeats for ever, so it has no such queue',
  'Records not archived': 'the local run repeats for ever, so it has no such queue',
  'Cancellation log altered': 'the local run has no CloudTrail; test/tools/ops/ops-logs.test.ts has its records',
  'Partners or job directory altered':
    'the local run has no CloudTrail; test/tools/ops/ops-logs.test.ts has its records',
  'Table settings changed': 'the local run has no CloudTrail; test/tools/ops/ops-logs.test.ts has its records',
  'Functions are throttled': 'a function of the local run that is busy lets invocations wait, and throttles none',
  'Tables are throttled': 'the local engine throttles nothing',
};
