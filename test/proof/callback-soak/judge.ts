import { Webhook } from 'standardwebhooks';
import type { Subject } from '../../../functions/core/callbacks/callback-message.ts';
import type { CallbackRecord } from '../../../functions/core/callbacks/callback-record.ts';
import type { CallbackRequest } from '../../../functions/core/callbacks/ports.ts';
import { keyOf } from './store.ts';

/** A request's timestamp may be so old: an attempt's own time. */
const FRESH_MS = 15_000;

/** A callback that a partner must get. */
interface Expected {
  readonly subject: Expectation;
  /** Its webhook-id. */
  readonly id: string;
  /** 0 for the first of its subject. */
  readonly place: number;
  received: number;
  isDelivered: boolean;
  body: string | undefined;
}
interface Expectation {
  readonly subject: Subject;
  readonly callbacks: Expected[];
  /** No other callback of it is to come. */
  isWhole: boolean;
}

/** Compares what arrives at the partners, and what is on record, with what happened. */
export class Judge {
  readonly violations: string[] = [];
  readonly figures = { expected: 0, delivered: 0, received: 0, repeated: 0, attempts: 0, usedUp: 0 };
  private readonly subjects = new Map<string, Expectation>();
  private readonly byId = new Map<string, Expected>();
  private readonly verifiers = new Map<string, Webhook>();
  /** Hears when all of a subject is delivered. */
  private readonly onDone: (subject: Subject) => void;

  constructor(onDone: (subject: Subject) => void) {
    this.onDone = onDone;
  }

  /** @param isLast whether no other callback of the subject follows */
  expect(subject: Subject, webhookId: string, isLast: boolean): void {
    const key = keyOf(subject);
    const expectation = this.subjects.get(key) ?? { subject, callbacks: [], isWhole: false };
    this.subjects.set(key, expectation);
    const place = expectation.callbacks.length;
    const nothing = { received: 0, isDelivered: false, body: undefined };
    const expected = { id: webhookId, subject: expectation, place, ...nothing };
    expectation.callbacks.push(expected);
    expectation.isWhole = isLast;
    this.byId.set(webhookId, expected);
    this.figures.expected += 1;
  }

  /** A request that left for an endpoint. @param secret that the partner verifies by now */
  posted({ headers, body }: CallbackRequest, secret: string, nowMs: number): Expected | undefined {
    const { 'webhook-id': id = '', 'webhook-timestamp': seconds = '', 'webhook-signature': signatures = '' } = headers;
    const expected = this.byId.get(id);
    if (expected === undefined) {
      this.violations.push(`${id} tells of nothing that happened`);
      return undefined;
    }
    this.figures.attempts += 1;
    const sentAt = new Date(Number(seconds) * 1_000);
    if (Math.abs(nowMs - sentAt.getTime()) > FRESH_MS) this.violate(expected, `its timestamp is of ${seconds}`);
    if (!signatures.split(' ').includes(this.sign(secret, id, sentAt, body)))
      this.violate(expected, 'the published library does not verify it');
    if (expected.body !== undefined && expected.body !== body) this.violate(expected, 'its body is another one now');
    expected.body = body;
    return expected;
  }

  /** The partner's code has it, whatever the sender heard. */
  received(expected: Expected): void {
    this.figures.received += 1;
    if (expected.received > 0) this.figures.repeated += 1;
    expected.received += 1;
    for (const earlier of expected.subject.callbacks.slice(0, expected.place)) {
      if (earlier.received === 0) this.violate(expected, 'it came before one that happened earlier');
    }
  }

  recorded(subject: Subject, { webhookId, result, nextAt }: CallbackRecord): void {
    const expected = this.byId.get(webhookId);
    if (expected === undefined) return void this.violations.push(`${webhookId} is on record, and never happened`);
    if (result === 'failed' && nextAt === undefined) this.figures.usedUp += 1;
    if (result !== 'delivered') return;
    if (expected.received === 0) this.violate(expected, 'delivered on record, and never received');
    if (!expected.isDelivered) this.figures.delivered += 1;
    expected.isDelivered = true;
    const { isWhole, callbacks } = expected.subject;
    if (isWhole && callbacks.every(({ isDelivered }) => isDelivered)) this.onDone(subject);
  }

  forget(subject: Subject): void {
    const key = keyOf(subject);
    for (const { id } of this.subjects.get(key)?.callbacks ?? []) this.byId.delete(id);
    this.subjects.delete(key);
  }

  /** What was never delivered. */
  lost(): string[] {
    return [...this.byId].filter(([, { isDelivered }]) => !isDelivered).map(([id]) => id);
  }

  private violate({ id, place }: Expected, what: string): void {
    this.violations.push(`${id}, callback ${place + 1}: ${what}`);
  }

  private sign(secret: string, id: string, at: Date, body: string): string {
    const verifier = this.verifiers.get(secret) ?? new Webhook(secret);
    this.verifiers.set(secret, verifier);
    return verifier.sign(id, at, body);
  }
}
