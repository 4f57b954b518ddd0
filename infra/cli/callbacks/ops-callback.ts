import { callbackUrlRules, parseCallbackUrl } from '../../../functions/core/callbacks/callback-url.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { CannotDo } from '../command.ts';
import { environmentOption, opsCommand, partnerOption, readPartner } from '../ops-command.ts';
import type { Place } from '../places/place.ts';
import { count, labelled, paint, printable } from '../terminal.ts';
import { requirePartner } from '../partners/read-partners.ts';
import { describeTest } from './describe-test.ts';
import { findKept, findRetried } from './kept-callbacks.ts';
import {
  changeEndpoint,
  type Endpoint,
  readEndpoint,
  readStoredEndpoint,
  removeEndpoint,
  signingSecret,
} from '../partners/stored-endpoint.ts';

/** So long both secrets sign after a rotation. */
const OVERLAP_HOURS = 24;
const MOST_OVERLAP_HOURS = 720;

export const setCallback = opsCommand({
  name: 'callback set',
  summary: "Sets where a partner's callbacks go, and shows the secret that signs them: once.",
  notes: `A URL of another endpoint keeps the secret, which is not shown again: "callback rotate" makes another. Callbacks that the
former endpoint ended by its 410 go on with what is kept.`,
  options: {
    partner: partnerOption,
    url: { hint: 'URL', what: 'https, a public host; in the local run also http to this machine', required: true },
  },
  async run({ place, terminal, values }) {
    const partnerId = readPartner(values.partner);
    const parsed = parseCallbackUrl(values.url, { allowsLoopback: place.environment === 'local' });
    if (parsed.kind === 'invalid') throw new CannotDo(2, `--url ${callbackUrlRules[parsed.why]}.`);
    const url = parsed.url.href;
    const before = await readStoredEndpoint(place, partnerId);
    if (before?.url !== undefined) {
      const wasGone = before.pausedWhy === 'gone';
      await changeEndpoint(place, partnerId, before, {
        set: { url },
        ...(wasGone && { remove: ['pausedAt', 'pausedWhy'] }),
      });
      const next = wasGone
        ? `What is kept: npm run ops -- callback replay --partner ${partnerId}${environmentOption(place)}`
        : undefined;
      terminal.show({ partnerId, url, before: before.url, version: before.version }, [
        `The callbacks of ${partnerId} (${place.environment}) go to ${url} from now on; before: ${printable(before.url)}.`,
        `They are signed by the same secret as before. If it is lost: npm run ops -- callback rotate --partner ${partnerId}${environmentOption(place)}`,
        ...(next === undefined ? [] : [next]),
      ]);
      return 0;
    }
    await requirePartner(place, partnerId);
    // After a removal, another secret than the one before.
    const version = (before?.version ?? 0) + 1;
    await changeEndpoint(place, partnerId, before, { set: { url, version } });
    const secret = await signingSecret(place, partnerId, version);
    terminal.show({ partnerId, url, version, secret }, [
      `The callbacks of ${partnerId} (${place.environment}) go to ${url}, signed by this secret, which is not shown again:`,
      '',
      `  ${toPaste(place, secret)}`,
      '',
      `Next: npm run ops -- callback test --partner ${partnerId}${environmentOption(place)}`,
    ]);
    return 0;
  },
});

export const showCallback = opsCommand({
  name: 'callback show',
  summary: "Shows where a partner's callbacks go, whether they are paused, and how many are not delivered yet.",
  options: { partner: partnerOption },
  async run({ place, terminal, values, now }) {
    const partnerId = readPartner(values.partner);
    const { url, version, previousUntil, pausedAt, pausedWhy, test } = await readEndpoint(place, partnerId);
    const [kept, retried] = [(await findKept(place, partnerId)).length, (await findRetried(place, partnerId)).length];
    const isOverlap = previousUntil !== undefined && Date.parse(previousUntil) > now;
    const shown = {
      partnerId,
      url,
      version,
      previousUntil: isOverlap ? previousUntil : null,
      pausedAt: pausedAt ?? null,
    };
    terminal.show(
      { ...shown, pausedWhy: pausedWhy ?? null, test: test ?? null, retried, kept },
      labelled(10, {
        partner: `${partnerId} (${place.environment})`,
        url: printable(url),
        secret: `version ${version}${isOverlap ? `; version ${version - 1} signs too until ${previousUntil}` : ''}`,
        state: describeState({ pausedAt, pausedWhy }),
        test: test === undefined ? 'never' : `${test.at}: ${describeTest(test)}`,
        retried: retried === 0 ? 'nothing' : `${count(retried)}, each by itself; "callback replay" delivers them now`,
        kept:
          kept === 0
            ? 'nothing'
            : `${count(kept)} cancellations or refused requests, for "callback ${pausedWhy === undefined ? 'replay' : 'resume'}"`,
      }),
    );
    return 0;
  },
});

function describeState({ pausedAt, pausedWhy }: Pick<Endpoint, 'pausedAt' | 'pausedWhy'>): string {
  if (pausedWhy === undefined) return paint('green', 'in use');
  const why = pausedWhy === 'gone' ? 'the endpoint answered 410' : 'by an operator';
  return paint('yellow', `paused since ${pausedAt ?? 'an unknown time'}: ${why}`);
}

export const pauseCallback = opsCommand({
  name: 'callback pause',
  summary: "Pauses a partner's callbacks: everything is kept until they are resumed.",
  options: { partner: partnerOption },
  async run({ place, terminal, values, now }) {
    const partnerId = readPartner(values.partner);
    const endpoint = await readEndpoint(place, partnerId);
    const pausedAt = endpoint.pausedAt ?? toTimestamp(now);
    await changeEndpoint(place, partnerId, endpoint, { set: { pausedAt, pausedWhy: 'operator' } });
    terminal.show({ partnerId, pausedAt }, [
      `The callbacks of ${partnerId} (${place.environment}) are paused since ${pausedAt}. Nothing of them is lost.`,
      `To go on: npm run ops -- callback resume --partner ${partnerId}${environmentOption(place)}`,
    ]);
    return 0;
  },
});

export const rotateCallback = opsCommand({
  name: 'callback rotate',
  summary: "Makes another secret for a partner's callbacks, and shows it: once.",
  notes:
    'Until the end of the overlap every callback is signed by both, so the receiver changes its secret when it likes.',
  options: {
    partner: partnerOption,
    'overlap-hours': { hint: 'N', what: `how long both sign, 0 to ${MOST_OVERLAP_HOURS} (default: ${OVERLAP_HOURS})` },
  },
  async run({ place, terminal, values, now }) {
    const partnerId = readPartner(values.partner);
    const hours = readHours(values['overlap-hours']);
    const endpoint = await readEndpoint(place, partnerId);
    if (endpoint.previousUntil !== undefined && Date.parse(endpoint.previousUntil) > now) {
      const old = `version ${endpoint.version - 1}, which signs until ${endpoint.previousUntil}`;
      await terminal.confirm(`End the overlap with ${old}, of ${partnerId} (${place.environment}) now?`);
    }
    const version = endpoint.version + 1;
    const previousUntil = toTimestamp(now + hours * 3_600_000);
    await changeEndpoint(place, partnerId, endpoint, { set: { version, previousUntil } });
    const secret = await signingSecret(place, partnerId, version);
    terminal.show({ partnerId, version, previousUntil, secret }, [
      `The callbacks of ${partnerId} (${place.environment}) are signed by this secret too, which is not shown again:`,
      '',
      `  ${toPaste(place, secret)}`,
      '',
      `Until ${previousUntil} version ${endpoint.version} signs as well; from then on this one alone.`,
    ]);
    return 0;
  },
});

/** Here a receiver runs beside the service; elsewhere the secret is handed to a partner. */
function toPaste({ environment }: Pick<Place, 'environment'>, secret: string): string {
  return environment === 'local' ? `export CANCELLATION_CALLBACK_SECRET=${secret}` : secret;
}

function readHours(given: string | undefined): number {
  if (given === undefined) return OVERLAP_HOURS;
  const hours = /^\d{1,3}$/.test(given) ? Number(given) : Infinity;
  if (hours <= MOST_OVERLAP_HOURS) return hours;
  throw new CannotDo(2, `--overlap-hours must be a whole number from 0 to ${MOST_OVERLAP_HOURS}.`);
}

export const removeCallback = opsCommand({
  name: 'callback remove',
  summary: 'Ends the callbacks of a partner. What was being retried is kept, for an endpoint that is set later.',
  options: { partner: partnerOption },
  async run({ place, terminal, values }) {
    const partnerId = readPartner(values.partner);
    const endpoint = await readEndpoint(place, partnerId);
    await terminal.confirm(`End the callbacks of ${partnerId} (${place.environment}) to ${printable(endpoint.url)}?`);
    await removeEndpoint(place, partnerId, endpoint);
    terminal.show({ partnerId, url: endpoint.url }, [
      `${partnerId} (${place.environment}) gets no callbacks from now on. Its secret is not valid any more.`,
    ]);
    return 0;
  },
});
